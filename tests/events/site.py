"""A site of the lending library with events, whose accounts hold what a test says."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.urls import URLPattern, URLResolver, path

import backstay.site.urls  # noqa: F401 the admin has the pages of all resources then
from backstay.caller import Held
from backstay.errors import handler400, handler403, handler404, handler500
from backstay.events.urls import events_urls
from backstay.journal.models import Entry
from backstay.resources import ALL, Grant, Resource, ResourceRouter, Scope, level_somewhere
from backstay.services import Service
from tests.lending.models import Keyword
from tests.lending.resources import SERVED

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

#: What accounts hold, by their key.
HELD: dict[Any, tuple[Held, ...]] = {}


def held_by(account_id: Any) -> tuple[Held, ...]:
    """What only the test can tell."""
    return HELD.get(account_id, ())


LIBRARY = Service(
    name='library', title='Library', apps=(), urls={}, scopes_in_python='tests.events.site.held_by'
)


class BranchAuditResource(Resource):
    """What a service declares that lets others read their own journal."""

    class Meta:
        model = Entry
        name = 'BranchAudit'
        fields = ('id', 'verb', 'resource', 'object_id', 'tenant')

    grants = (Grant(level_somewhere(3), read=ALL, rows=Q(tenant__in=Scope('branches', 3))),)


class WordResource(Resource):
    """What is found by another field than its key, which it does not show."""

    class Meta:
        model = Keyword
        name = 'Word'
        fields = ('word',)
        lookup = 'word'
        ordering = ('word',)

    grants = (Grant(level_somewhere(1), read=ALL, write=ALL, create=ALL, delete=True),)


router = ResourceRouter()
for prefix, resource in SERVED.items():
    router.register(prefix, resource)
router.register('branch-audit', BranchAuditResource)
router.register('words', WordResource)

urlpatterns: list[URLPattern | URLResolver] = [
    path('admin/', admin.site.urls),
    *events_urls(),
    *router.urls,
]
