"""Pages of resources in the admin, made from declarations unless a service has its own."""

from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps as django_apps
from django.contrib import admin
from django.db import models

from backstay.resources.admin.pages import ResourceAdmin
from backstay.resources.admin.shown import column_of, columns
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.kinds import TEXT
from backstay.resources.query.mask import parse

_MAX_LIST_COLUMNS = 8


def admin_of(resource: type[Resource]) -> type[ResourceAdmin]:
    """Return the pages of a resource's model, for services that have not made their own."""
    own = {
        name: field
        for name, field in columns(resource).items()
        if not column_of(resource, field.attname).is_relation
    }
    searched = [name for name, field in own.items() if field.kind is TEXT]
    texts = ', '.join(name.replace('_', ' ') for name in searched)
    attributes = {'pk', *(field.attname for field in columns(resource).values())}
    ordering = [name for name in resource.options.ordering if name.lstrip('-') in attributes]
    members: dict[str, Any] = {
        'resource': resource,
        'list_display': tuple(_listed(resource))[:_MAX_LIST_COLUMNS] or ('pk',),
        'list_filter': [name for name, field in own.items() if field.kind.is_admin_filter],
        'search_fields': searched,
        'search_help_text': f'By {texts}' if texts else None,
        'raw_id_fields': [name for name in columns(resource) if name not in own],
        'ordering': ordering,
    }
    return type(f'{resource.__name__}Admin', (ResourceAdmin,), members)


def _listed(resource: type[Resource]) -> Iterator[str]:
    """Yield the columns of the default mask, or all, that fit into a list."""
    mask = resource.options.default_mask
    names = {name for name, _ in parse(mask).entries} if mask else {*resource.fields()}
    for name, field in columns(resource).items():
        if field.name in names and not field.kind.is_long:
            yield name


def register_resources(
    site: admin.AdminSite = admin.site, apps: Collection[str] | None = None
) -> None:
    """Give every model without a page the page of its first resource that is written.

    With `apps`, only the models of the apps with these names get one. The resources must be known:
    `backstay.urls.site_urls` calls this behind the services' routes.
    """
    by_model: dict[type[models.Model], list[type[Resource]]] = {}
    for resource in resources():
        model = resource.options.model
        app = django_apps.get_app_config(model._meta.app_label).name
        if apps is None or app in apps:
            by_model.setdefault(model, []).append(resource)
    for model, found in by_model.items():
        if not site.is_registered(model):
            written = (
                resource
                for resource in found
                if any(grant.write or grant.create or grant.delete for grant in resource.grants)
            )
            site.register(model, admin_of(next(written, found[0])))
