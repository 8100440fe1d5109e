"""Order: by which keys the rows come.

Stage: reading. It refuses what is not an order, names what the caller cannot read, or would
multiply rows (`SortError`). Rules F10 and F11, after sqlalchemy-filters 0.13.0.

Every order ends in a key that is unique, so that no two rows are equal in it: pages then never
repeat or skip a row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import SortError
from backstay.resources.query.json_text import shown
from backstay.resources.query.nodes import Key
from backstay.resources.query.paths import UnknownModel, orderable, relation_of

MAX_SORT_KEYS = 5
_SPEC = frozenset({'field', 'direction', 'model', 'nullsfirst', 'nullslast'})


def parse_order(spec: object, readable: Readable) -> tuple[Key, ...]:
    """Return the keys of a sort_spec, or of the shorthand `-price,name`. Raises SortError.

    An empty one is the resource's own order.
    """
    if isinstance(spec, str):
        return _of_text(spec, readable) if spec else default_order(readable)
    specs = spec if isinstance(spec, list) else [spec]
    if not specs:
        return default_order(readable)
    _refuse_many(specs, '')
    keys = [
        _key(each, readable, f'/{index}' if isinstance(spec, list) else '')
        for index, each in enumerate(specs)
    ]
    return _total(keys, readable)


@lru_cache(maxsize=1_024)
def default_order(readable: Readable) -> tuple[Key, ...]:
    """Return the resource's own order: the part of it that the caller may read."""
    return declared_order(readable.resource.options.ordering, readable)


def declared_order(names: Sequence[str], readable: Readable) -> tuple[Key, ...]:
    """Return the keys of a declared order, such as ('-placed_at', 'id').

    A name that the caller cannot read is left out: the order of the rows would tell its values.
    """
    unique = _primary_key(readable)
    bare = [(name.removeprefix('-'), name.startswith('-')) for name in names]
    keys = [_named(unique if name == 'pk' else name, readable, way) for name, way in bare]
    found = [key for key in keys if key is not None]
    descending = bool(names) and names[-1].startswith('-')
    return _total(found, readable, descending=descending)


@lru_cache(maxsize=1_024)
def _of_text(text: str, readable: Readable) -> tuple[Key, ...]:
    """Return the keys of a shorthand; clients send the same few again and again."""
    # One more than is read, so that endless text is not taken apart.
    names = text.split(',', MAX_SORT_KEYS)
    _refuse_many(names, '')
    keys = []
    for name in names:
        bare = name.strip().removeprefix('-')
        key = _named(bare, readable, name.strip().startswith('-'), check=True)
        if key is None:
            raise _not_found(bare, readable, '')
        keys.append(key)
    return _total(keys, readable)


def _named(name: str, readable: Readable, descending: bool, *, check: bool = False) -> Key | None:
    """Return the key of a dotted name; `check` asks whether clients may order by it."""
    head, dot, rest = name.partition('.')
    relation = readable.relations.get(head) if dot else None
    if relation is not None:
        if relation.many:
            raise _to_many(name, '')
        readable, name = readable.through(relation), rest
    if not (orderable(name, readable) if check else readable.fields.get(name)):
        return None
    return _written(name, relation.name if relation else '', descending)


def _written(name: str, relation: str, descending: bool) -> Key:
    # As PostgreSQL does, which sorts NULL as greater than everything.
    return Key(field=name, relation=relation, descending=descending, nulls_first=descending)


def _key(spec: object, readable: Readable, pointer: str) -> Key:
    if not isinstance(spec, dict):
        raise _bad_format(f'Sort spec `{shown(spec)}` should be a dictionary.', pointer)
    if 'field' not in spec or 'direction' not in spec:
        raise _bad_format('`field` and `direction` are mandatory attributes.', pointer)
    for name in spec:
        if name not in _SPEC:
            raise _bad_format(f'The spec has an unknown key `{shown(name)}`.', pointer)
    if spec['direction'] not in ('asc', 'desc'):
        raise _bad_format(f'Direction `{shown(spec["direction"])}` not valid.', pointer)
    name, model = spec['field'], spec.get('model', readable.resource.options.name)
    if not isinstance(name, str):
        raise _bad_format('`field` must be a string.', f'{pointer}/field')
    if not isinstance(model, str):
        raise _sort_error('BadSpec', '`model` must be a string.', f'{pointer}/model')
    try:
        relation = relation_of(model, readable)
    except UnknownModel as error:
        raise _sort_error('BadSpec', str(error), f'{pointer}/model') from None
    if relation is not None:
        if relation.many:
            raise _to_many(model, f'{pointer}/model')
        readable = readable.through(relation)
    if orderable(name, readable) is None:
        raise _not_found(name, readable, f'{pointer}/field')
    key = _written(name, relation.name if relation else '', spec['direction'] == 'desc')
    first, last = _flag(spec, 'nullsfirst', pointer), _flag(spec, 'nullslast', pointer)
    if first and last:
        raise _bad_format('`nullsfirst` and `nullslast` exclude each other.', pointer)
    return replace(key, nulls_first=first) if first or last else key


def _flag(spec: dict[str, Any], name: str, pointer: str) -> bool:
    flag = spec.get(name, False)
    if not isinstance(flag, bool):
        raise _bad_format(f'`{name}` must be true or false.', f'{pointer}/{name}')
    return flag


def _total(keys: Iterable[Key], readable: Readable, *, descending: bool = False) -> tuple[Key, ...]:
    """Return the keys, each column once, and the primary key after them unless it is there.

    It goes the way of the last key; `descending` says which way where there is none.
    """
    once: dict[tuple[str, str], Key] = {}
    for key in keys:
        once.setdefault((key.relation, key.field), key)
        descending = key.descending
    unique = _primary_key(readable)
    once.setdefault(('', unique), _written(unique, '', descending))
    return tuple(once.values())


def _primary_key(readable: Readable) -> str:
    """Return the name of the primary key where every row shows it, else `pk`.

    A key that only some rows show is NULL on the others, and would leave the order open.
    """
    attname = readable.primary_key.attname
    shown = attname in readable.fields and all(grant.reads(attname) for grant in readable.grants)
    return attname if shown else 'pk'


def _refuse_many(keys: Sequence[object], pointer: str) -> None:
    if len(keys) > MAX_SORT_KEYS:
        raise _sort_error('TooComplex', f'An order has at most {MAX_SORT_KEYS} keys.', pointer)


def _to_many(name: str, pointer: str) -> SortError:
    detail = (
        f'`{shown(name)}` leads to many rows, and an order needs one value: '
        'use a field of the resource that is computed from them.'
    )
    return _sort_error('BadSpec', detail, pointer)


def _not_found(name: str, readable: Readable, pointer: str) -> SortError:
    model = readable.resource.options.name
    detail = f'Model {model} has no column `{shown(name)}`.'
    return _sort_error('FieldNotFound', detail, pointer)


def _bad_format(detail: str, pointer: str) -> SortError:
    return _sort_error('BadSortFormat', detail, pointer)


def _sort_error(reason: str, detail: str, pointer: str) -> SortError:
    return SortError(detail, reason=reason, pointer=pointer)
