"""What a caller may do, resource by resource: what `GET /auth/me` tells a user interface.

It tells of which fields and verbs there are rows at all, not of which rows: that only a read does.
"""

from collections.abc import Iterator
from typing import Any

from backstay.identity.caller import Caller, Standing
from backstay.resources.declaration.grants import ALL, Names
from backstay.resources.declaration.resource import Resource, resources


def rights_of(caller: Caller) -> dict[str, dict[str, Any]]:
    """What the caller may do with each resource with which it may do anything, by name."""
    standing = caller.standing()
    rights = {resource.options.name: _rights(resource, standing) for resource in resources()}
    return {name: found for name, found in sorted(rights.items()) if any(found.values())}


def _rights(resource: type[Resource], standing: Standing) -> dict[str, Any]:
    grants = [grant for grant in resource.grants if grant.who.includes(standing)]
    fields = (*resource.fields(), *resource.relations())
    return {
        'read': list(_named(fields, (grant.read for grant in grants))),
        'write': list(_named(fields, (grant.write for grant in grants))),
        'create': list(_named(fields, (grant.create for grant in grants))),
        'delete': any(grant.delete for grant in grants),
    }


def _named(fields: tuple[str, ...], granted: Iterator[Names]) -> Iterator[str]:
    """The fields that any of the grants names, in the order of their declaration."""
    names = list(granted)
    if any(each is ALL for each in names):
        yield from fields
        return
    every = {name for each in names for name in each}  # type: ignore[union-attr]
    yield from (name for name in fields if name in every)
