"""Resources of the cabinet with grants that are made at random, anew for each number."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from types import ModuleType
from typing import Any

from django.db import models
from django.db.models import F
from django.test import override_settings
from django.urls import clear_url_caches

from backstay.resources import (
    ALL,
    Array,
    Computed,
    Grant,
    InPython,
    Many,
    One,
    Parent,
    Resource,
    ResourceRouter,
    Through,
    Url,
    anyone,
    level_somewhere,
    own_level,
    signed_in,
    trusted,
    view_set_of,
)
from backstay.resources.declaration.registry import _registry
from tests.cabinet.conditions import any_condition
from tests.cabinet.models import Case, Keyword, Room, Seal, Slip

#: Nothing of it is told: what every table has of its own.
_COLUMNS = tuple(column.name for column in Keyword._meta.concrete_fields if column.name != 'labels')
_WRITABLE = ('name', 'status', 'count', 'details', 'day', 'price')


def shout(row: Mapping[str, Any]) -> str:
    """A name, loud."""
    return f'{row["name"].upper()}!'


def declare(random: Random) -> dict[str, type[Resource]]:
    """The resources by the prefix under which a site serves them."""
    keywords = _resource(random, 'Keyword', Keyword)
    seals = _resource(random, 'Seal', Seal, 'case_id')
    halls = _resource(random, 'Hall', Room)
    slips = _resource(
        random,
        'Slip',
        Slip,
        'case_id',
        'version',
        version='version',
        writes=True,
        declared={'case': Parent('CaseResource')},
    )
    cases = _resource(
        random,
        'Case',
        Case,
        'room_id',
        'version',
        version='version',
        soft_delete='deleted_at',
        writes=True,
        declared={
            'room': Parent(halls),
            'seal': One(seals),
            'slips': Many(slips, cap=2, fan_out=2, ordering=(*random.sample(_ORDERS, 2), 'id')),
            'keywords': Many(keywords, fan_out=2, ordering=('name', '-day', 'id')),
            'sum': Computed(F('count') + F('grade'), models.IntegerField()),
            'url': Url('/cases/{id}/'),
            'shouted': InPython(shout, needs=('name',), schema={'type': 'string'}),
        },
    )
    rooms = _resource(
        random,
        'Room',
        Room,
        declared={
            'cases': Many(cases, fan_out=2, ordering=('-count', 'name', 'id')),
            'papers': Through('cases', 'slips'),
        },
    )
    # Behind a relation to one; half of the time it has what its table's other resource deletes.
    deleting = {'soft_delete': 'deleted_at'} if random.random() < 0.5 else {}
    folders = _resource(
        random,
        'Folder',
        Case,
        'room_id',
        declared={'hall': One(halls, source='room')},
        **deleting,
    )
    tickets = _resource(
        random,
        'Ticket',
        Slip,
        'case_id',
        declared={'folder': One(folders, source='case'), 'case': Parent(cases)},
    )
    return {
        'cases': cases,
        'folders': folders,
        'halls': halls,
        'keywords': keywords,
        'rooms': rooms,
        'seals': seals,
        'slips': slips,
        'tickets': tickets,
    }


_ORDERS = ('name', '-count', 'day', '-price')


def _resource(
    random: Random,
    name: str,
    model: type[models.Model],
    *columns: str,
    writes: bool = False,
    declared: Mapping[str, Any] | None = None,
    **options: Any,
) -> type[Resource]:
    names = (*_COLUMNS, *columns)
    own = {'labels': Array(), **(declared or {})}
    meta = {'model': model, 'name': name, 'fields': names, 'ordering': ('id',), **options}
    shown = (*names, *(each for each, value in own.items() if not isinstance(value, Through)))
    return type(
        f'{name}Resource',
        (Resource,),
        {
            'Meta': type('Meta', (), meta),
            '__module__': __name__,
            'grants': tuple(any_grants(random, model, shown, writes=writes)),
            **own,
        },
    )


def any_grants(
    random: Random, model: type[models.Model], names: tuple[str, ...], *, writes: bool
) -> Iterator[Grant]:
    """A ladder of grants, from the lowest to the highest."""
    whos = (
        anyone,
        signed_in,
        level_somewhere(1),
        level_somewhere(2),
        own_level(3),
        level_somewhere(3),
    )
    for who in sorted(random.sample(whos, random.randint(2, 4)), key=whos.index):
        read = tuple(name for name in names if name == 'id' or random.random() < 0.6)
        parents = [each for each in ('case_id', 'room_id') if each in names]
        write = tuple(name for name in (*_WRITABLE, *parents) if random.random() < 0.7)
        may = writes and who not in (anyone,)
        yield Grant(
            who,
            read=ALL if random.random() < 0.15 else read,
            rows=any_condition(random, model),
            write=write if may else (),
            create=tuple(dict.fromkeys((*write, *parents, 'code'))) if may else (),
            delete=may and random.random() < 0.5,
        )
    yield Grant(trusted, read=ALL)


@contextmanager
def served(random: Random) -> Iterator[dict[str, type[Resource]]]:
    """Serve such resources for as long as the context lasts."""
    with served_as(lambda: declare(random)) as resources:
        yield resources


@contextmanager
def served_as(
    declared: Callable[[], dict[str, type[Resource]]],
) -> Iterator[dict[str, type[Resource]]]:
    """Serve what a function declares for as long as the context lasts."""
    known = dict(_registry)
    resources = declared()
    router = ResourceRouter()
    for prefix, resource in resources.items():
        router.register(prefix, view_set_of(resource, throttle_classes=()))
    urls: Any = ModuleType('tests.cabinet.made_site')
    urls.urlpatterns = router.urls
    try:
        with override_settings(ROOT_URLCONF=urls):
            clear_url_caches()
            yield resources
    finally:
        _registry.clear()
        _registry.update(known)
        clear_url_caches()
