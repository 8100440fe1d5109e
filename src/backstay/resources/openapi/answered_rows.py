"""JSON Schemas of rows, for operations that a service answers and describes by itself."""

from collections.abc import Callable

from drf_spectacular.plumbing import ComponentRegistry

from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.errors import MaskError
from backstay.resources.openapi.components import Components, Schema
from backstay.resources.plan.masks import select
from backstay.resources.plan.stages import Selection, ShowField, ShowMany
from backstay.resources.query.mask import parse


def schema_of(resource: type[Resource], mask: str = '') -> Schema:
    """Return the JSON Schema of a row as the mask shows it: the default mask unless one is given.

    Every member of the mask is required, and related rows stand inside. The schema names no
    component of a document, so that `extend_schema` takes it as it is. It describes rows as
    callers see them who may read everything. Raises MaskError for a name that is not there.
    """
    unknown: list[str] = []
    selection = select(Readable(resource), parse(mask) if mask else None, unknown)
    if unknown:
        raise MaskError(f'Mask error: there is no {", ".join(unknown)}')
    return _row(selection, _Inline(ComponentRegistry()))


class _Inline(Components):
    """Components that stand where they are named."""

    def reference(self, _name: str, _identity: object, describe: Callable[[], Schema]) -> Schema:
        return describe()


def _row(selection: Selection, components: Components) -> Schema:
    owner = selection.readable.resource.options.name
    members: Schema = {}
    for name, member in selection.members:
        if isinstance(member, ShowField):
            members[name] = components.shown(member.field, owner)
            continue
        row = _row(member.selection, components)
        if isinstance(member, ShowMany):
            cap = member.relation.declared.cap  # type: ignore[union-attr]  # a Many
            members[name] = {'type': 'array', 'items': row, 'maxItems': cap}
        else:
            null = {'type': 'null'}
            members[name] = {'oneOf': [row, null]} if member.relation.nullable else row
    return {
        'type': 'object',
        'required': [*members],
        'properties': members,
        'additionalProperties': False,
    }
