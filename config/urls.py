"""URLs of the site: the platform's own and those of every mounted service."""

from backstay.site.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']
