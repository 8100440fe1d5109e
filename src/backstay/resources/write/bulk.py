"""Bulk: the operations of one request, read into intents."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from backstay.errors import Fault, Problem, escape_pointer, refused
from backstay.resources.declaration.shape import Field
from backstay.resources.errors import FilterError
from backstay.resources.query.asked import Asked
from backstay.resources.query.json_text import shown
from backstay.resources.query.values import read
from backstay.resources.write.change import Intent
from backstay.resources.write.children import MAX_WRITTEN_ROWS

_OPS = ('create', 'update', 'delete', 'upsert')
#: The members of an operation, and which of them it needs.
_MEMBERS = {
    'create': ({'op', 'body'}, {'body'}),
    'update': ({'op', 'id', 'body', 'if_version'}, {'id', 'body'}),
    'delete': ({'op', 'id', 'if_version'}, {'id'}),
    'upsert': ({'op', 'key', 'body', 'if_version'}, {'key', 'body'}),
}


def read_operations(asked: Asked, operations: Any, pointer: str) -> list[Intent]:
    """Read operations into intents; `pointer` leads to one of them by its position or id.

    Raises Problem 400 `bulk-empty`, 422 `too-many-rows`, or 422 with a pointer to each malformed
    part.
    """
    if not isinstance(operations, list):
        raise refused([_fault('/operations', 'A list is required.')])
    if not operations:
        raise Problem('There is nothing to write in the body.', code='bulk-empty')
    if len(operations) > MAX_WRITTEN_ROWS:
        raise Problem(
            f'One request writes at most {MAX_WRITTEN_ROWS} rows.',
            code='too-many-rows',
            limit=MAX_WRITTEN_ROWS,
        )
    reader = _Reader(asked, pointer)
    intents = [reader.intent(at, operation) for at, operation in enumerate(operations)]
    if reader.faults:
        raise refused(reader.faults)
    return [intent for intent in intents if intent is not None]


class _Reader:
    """A reader of operations that collects their faults."""

    def __init__(self, asked: Asked, pointer: str) -> None:
        self.resource, self.readable, self.pointer = asked.resource, asked.readable, pointer
        #: Whether the bodies stand under a member of their own.
        self.is_whole = pointer.startswith('/operations')
        self.faults: list[Fault] = []

    def intent(self, at: int, operation: Any) -> Intent | None:
        """Read an operation into an intent; return None if something is wrong with it."""
        if '{id}' in self.pointer:
            place = self.pointer.replace('{id}', escape_pointer(str(operation['id'])))
        else:
            place = self.pointer.format(at)
        if not self._is_well_formed(place, operation):
            return None
        verb = operation['op']
        body, key = operation.get('body', {}), {}
        if verb in ('update', 'delete'):
            field = self.readable.fields.get(self.resource.options.lookup)
            where = f'{place}/id' if self.is_whole else place
            key = self._value(where, field, operation['id'])
        elif verb == 'upsert':
            key = self._by_natural_key(place, operation['key'])
            self._refuse_other_key(f'{place}/body', key, body)
        version = operation.get('if_version')
        return Intent(
            verb=verb,
            index=at,
            pointer=f'{place}/body' if self.is_whole else place,
            key_pointer=place,
            key=key,
            body=body,
            meaning='create' if verb == 'create' else 'patch',
            if_match=() if version is None else (str(version),),
        )

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

    def _by_natural_key(self, place: str, raw: Any) -> dict[str, Any]:
        """Read a natural key: one field as it is or in an object, several in an object."""
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

    def _refuse_other_key(self, place: str, key: Mapping[str, Any], body: Any) -> None:
        """Refuse a body that names another row than the key names."""
        for name in self._natural() if isinstance(body, Mapping) else ():
            field = self.readable.fields.get(name)
            if field is None or name not in body or field.attname not in key:
                continue
            with suppress(FilterError):  # what is wrong with the value is found with the others
                if body[name] is None or read(field, body[name]) != key[field.attname]:
                    detail = f'`{name}` differs from the key of the operation.'
                    self._refuse(f'{place}/{escape_pointer(name)}', detail, 'key-differs')

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


def _fault(pointer: str, detail: str, code: str = 'invalid') -> Fault:
    return Fault(pointer=pointer, code=code, detail=detail)
