"""The sample service beside what every site has, for tests inside one process."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from backstay.errors import handler400, handler403, handler404, handler500
from backstay.operations.urls import operations_urls

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

urlpatterns = [
    path('admin/', admin.site.urls),
    path('sample/', include('sample_site.urls')),
    *operations_urls(settings.BACKSTAY),
]
