"""Bulk: the operations of one request as changes, and what became of each."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from backstay.errors import Fault, Problem, escape_pointer, refused
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field
from backstay.resources.errors import FilterError
from backstay.resources.query.json_text import shown
from backstay.resources.query.values import read
from backstay.resources.write.change import Change
from backstay.resources.write.children import MOST_ROWS

_OPS = ('create', 'update', 'delete', 'upsert')
#: The members of an operation, and which of them it needs.
_MEMBERS = {
    'create': ({'op', 'body'}, {'body'}),
    'update': ({'op', 'id', 'body', 'if_version'}, {'id', 'body'}),
    'delete': ({'op', 'id', 'if_version'}, {'id'}),
    'upsert': ({'op', 'key', 'body', 'if_version'}, {'key', 'body'}),
}
#: What a change has done, as the status of a single request.
_STATUS = {'create': 201, 'update': 200, 'delete': 204, 'restore': 200}


def read_operations(
    resource: type[Resource], readable: Readable, operations: Any, pointer: str
) -> list[Change]:
    """The changes that the operations ask for; `pointer` leads to one by its position or id.

    Raises Problem 422 with a pointer for everything that is malformed.
    """
    if not isinstance(operations, list):
        raise refused([_fault('/operations', 'A list is required.')])
    if len(operations) > MOST_ROWS:
        raise Problem(
            f'One request writes at most {MOST_ROWS} rows.',
            code='too-many-rows',
            limit=MOST_ROWS,
        )
    reader = _Reader(resource, readable, pointer)
    changes = [reader.change(at, operation) for at, operation in enumerate(operations)]
    if reader.faults:
        raise refused(reader.faults)
    return [change for change in changes if change is not None]


class _Reader:
    """Reads operations, and collects what is wrong with them."""

    def __init__(self, resource: type[Resource], readable: Readable, pointer: str) -> None:
        self.resource, self.readable, self.pointer = resource, readable, pointer
        #: Whether the bodies stand under a member of their own.
        self.is_whole = pointer.startswith('/operations')
        self.faults: list[Fault] = []

    def change(self, at: int, operation: Any) -> Change | None:
        """The change that an operation asks for; None where something is wrong with it."""
        place = self._place(at, operation)
        if not self._is_well_formed(place, operation):
            return None
        verb = operation['op']
        body, key = operation.get('body', {}), {}
        if verb in ('update', 'delete'):
            key = self._by_id(place, operation['id'])
        elif verb == 'upsert':
            key = self._by_natural_key(place, operation['key'])
        version = operation.get('if_version')
        return Change(
            asked=verb,
            index=at,
            pointer=f'{place}/body' if self.is_whole else place,
            key_pointer=place,
            key=key,
            body=body,
            meaning='create' if verb == 'create' else 'patch',
            if_match=() if version is None else (str(version),),
        )

    def _place(self, at: int, operation: Any) -> str:
        if '{id}' in self.pointer:
            return self.pointer.replace('{id}', escape_pointer(str(operation['id'])))
        return self.pointer.format(at)

    def _is_well_formed(self, place: str, operation: Any) -> bool:
        before = len(self.faults)
        if not isinstance(operation, Mapping):
            self._refuse(place, 'An object is required.')
            return False
        verb = operation.get('op')
        if verb not in _OPS:
            self._refuse(f'{place}/op', f'One of {", ".join(_OPS)} is required.')
            return False
        known, needed = _MEMBERS[verb]
        for name in [each for each in operation if each not in known]:
            detail = f'`{shown(name)}` is not known.'
            self._refuse(f'{place}/{escape_pointer(name)}', detail, 'unknown-field')
        for name in sorted(needed - operation.keys()):
            self._refuse(f'{place}/{name}', f'`{name}` is required.', 'required')
        if 'body' in operation and not isinstance(operation['body'], Mapping):
            where = f'{place}/body' if self.is_whole else place
            self._refuse(where, 'An object is required.')
        version = operation.get('if_version')
        if version is not None and (type(version) is not int or version < 0):
            self._refuse(f'{place}/if_version', 'A version is a whole number.')
        return len(self.faults) == before

    def _by_id(self, place: str, raw: Any) -> dict[str, Any]:
        field = self.readable.fields.get(self.resource.options.lookup)
        where = f'{place}/id' if self.is_whole else place
        return self._value(where, field, raw)

    def _by_natural_key(self, place: str, raw: Any) -> dict[str, Any]:
        """A key of one field as it is, or as an object; of several, as an object."""
        names = self._natural()
        if not names:
            self._refuse(f'{place}/op', 'This resource has no natural key to upsert by.')
            return {}
        if not isinstance(raw, Mapping):
            if len(names) > 1:
                self._refuse(f'{place}/key', f'An object of {", ".join(names)} is required.')
                return {}
            raw = {names[0]: raw}
        if set(raw) != set(names):
            self._refuse(f'{place}/key', f'An object of {", ".join(names)} is required.')
            return {}
        key: dict[str, Any] = {}
        for name in names:
            field = self.readable.fields.get(name)
            key |= self._value(f'{place}/key/{escape_pointer(name)}', field, raw[name])
        return key

    def _natural(self) -> Sequence[str]:
        return self.resource.options.natural_key

    def _value(self, where: str, field: Field | None, raw: Any) -> dict[str, Any]:
        if field is None or raw is None:
            self._refuse(where, 'There is no such row.', 'not-found')
            return {}
        try:
            return {field.attname: read(field, raw)}
        except FilterError as error:
            self._refuse(where, error.detail)
            return {}

    def _refuse(self, pointer: str, detail: str, code: str = 'invalid') -> None:
        self.faults.append(_fault(pointer, detail, code))


def results(resource: type[Resource], changes: Sequence[Change]) -> bytes:
    """The answer: for each operation its position, status, id, and its problem if it was refused.

    `id` is the lookup value of the row, as its path has it.
    """
    lookup = resource.fields()[resource.options.lookup].attname
    told = []
    for change in changes:
        problem = change.refusal()
        if problem is not None:
            told.append(
                {'index': change.index, 'status': problem.answer_status, 'error': problem.body('')}
            )
        else:
            key = getattr(change.row, lookup)
            status = _STATUS[change.verb]
            told.append({'index': change.index, 'status': status, 'id': key})
    return json.dumps({'results': told}, default=str, separators=(',', ':')).encode()


def _fault(pointer: str, detail: str, code: str = 'invalid') -> Fault:
    return Fault(pointer=pointer, code=code, detail=detail)
