"""A site whose admin has a page for every resource of the tests, and one that a service made."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

import tests.bookshop.resources
import tests.lending.resources  # noqa: F401 what is declared is registered
from backstay.resources.admin.registering import register_resources
from tests.bookshop.models import Tag

site = admin.AdminSite(name='tests')


@admin.register(Tag, site=site)
class OwnTagAdmin(admin.ModelAdmin):
    """What a service says itself."""


register_resources(site)

urlpatterns: list[URLPattern | URLResolver] = [path('shop/', site.urls)]
