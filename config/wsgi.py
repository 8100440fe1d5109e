"""The WSGI application that every server runs."""

from backstay.site.wsgi import application

__all__ = ['application']
