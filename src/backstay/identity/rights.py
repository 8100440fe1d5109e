"""The rights of a caller, resource by resource, as `GET /auth/me` gives them to user interfaces.

They name the fields and verbs that some row may allow, not the rows: only a read tells those.
Fields and verbs that no row allows the caller are left out.
"""

from typing import Any

from backstay.caller import Caller, Standing
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.write.granting import Right, all_members, may


def rights_of(caller: Caller) -> dict[str, dict[str, Any]]:
    """Return the caller's rights on each resource on which there are any, by name."""
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
    """Return the members of bodies that some grant allows, in the order of their declaration."""
    given = all_members(resource, standing, right)
    return [name for name in (*resource.fields(), *resource.relations()) if name in given]
