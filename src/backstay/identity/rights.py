"""What a caller may do, resource by resource: what `GET /auth/me` tells a user interface.

It tells of which fields and verbs there may be rows at all, not of which rows: that only a read
does. What no row can have for the caller is not told.
"""

from typing import Any

from backstay.caller import Caller, Standing
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.granting import Right, all_members, may


def rights_of(caller: Caller) -> dict[str, dict[str, Any]]:
    """What the caller may do with each resource with which it may do anything, by name."""
    reading, writing = caller.standing(), caller.standing(writing=True)
    rights = {
        each.options.name: {
            'read': list(Readable(each, reading).names),
            'write': _given(each, writing, 'write'),
            'create': _given(each, writing, 'create'),
            'delete': may(each, writing, 'delete'),
        }
        for each in resources()
    }
    return {name: found for name, found in sorted(rights.items()) if any(found.values())}


def _given(resource: type[Resource], standing: Standing, right: Right) -> list[str]:
    """The members of bodies that some grant takes, in the order of their declaration."""
    given = all_members(resource, standing, right)
    return [name for name in (*resource.fields(), *resource.relations()) if name in given]
