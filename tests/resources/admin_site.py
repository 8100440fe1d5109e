"""A site whose admin has a page for every resource of the tests, and one that a service made."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

import tests.bookshop.resources
import tests.lending.resources  # noqa: F401 what is declared is registered
from backstay.resources.admin.registering import admin_of, register_resources
from backstay.resources.declaration.registry import resources
from tests.bookshop.models import Tag

site = admin.AdminSite(name='tests')


@admin.register(Tag, site=site)
class OwnTagAdmin(admin.ModelAdmin):
    """What a service says itself."""


# Other tests declare resources of the same models, and may have been imported before.
for resource in resources():
    is_ours = resource.__module__ == 'tests.bookshop.resources'
    if is_ours and not site.is_registered(resource.options.model):
        site.register(resource.options.model, admin_of(resource))
register_resources(site)

urlpatterns: list[URLPattern | URLResolver] = [path('shop/', site.urls)]
