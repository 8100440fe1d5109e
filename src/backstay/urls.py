"""The URLs of a site: documentation, admin, operations, and every mounted service."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from backstay.docs import docs_urls, service_docs_urls
from backstay.events.urls import events_urls
from backstay.identity.urls import identity_urls
from backstay.operations.urls import operations_urls
from backstay.resources.admin.registering import register_resources
from backstay.services import mounted


def site_urls() -> list[URLPattern | URLResolver]:
    """Every URL pattern of the running site; longer prefixes go first, so that none hides one."""
    prefixes = [item for service in mounted() for item in service.urls.items()]
    prefixes.sort(key=lambda item: len(item[0]), reverse=True)
    services = [path(prefix, include(module)) for prefix, module in prefixes]
    # The modules of the services have declared theirs by now.
    register_resources(apps={app for service in mounted() for app in service.apps})
    return [
        path('', RedirectView.as_view(url='docs/'), name='home'),
        path('admin/', admin.site.urls),
        *identity_urls(),
        *docs_urls(),
        *events_urls(),
        *operations_urls(settings.BACKSTAY),
        *(pattern for service in mounted() for pattern in service_docs_urls(service)),
        *services,
    ]
