"""URLs of the site: the platform's own and those of every mounted service."""

from backstay.errors import handler400, handler403, handler404, handler500
from backstay.urls import site_urls

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

urlpatterns = site_urls()
