"""The types of events that a site can tell, which follow from its resources."""

from collections.abc import Iterable

from backstay.events.declaration import event_type
from backstay.resources.declaration.resource import Resource


def types_told(resources: Iterable[type[Resource]]) -> list[str]:
    """Return the types of the events of these resources, sorted: their models times their verbs."""
    return sorted(
        event_type(each.options.name, verb)
        for each in resources
        if each.options.events
        for verb in (
            'create',
            'update',
            'delete',
            *(('restore',) if each.options.soft_delete else ()),
            *each.options.verbs,
        )
    )
