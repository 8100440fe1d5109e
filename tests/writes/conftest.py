"""The lending library: two branches, who works there, and how they ask."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from backstay.caller import Caller, Held
from tests.lending.models import Branch, Item, Keyword
from tests.rights.site import MADE

Ask = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = 'tests.lending.site'


@pytest.fixture
def north(db: None) -> Branch:
    return Branch.objects.create(name='North')


@pytest.fixture
def south(db: None) -> Branch:
    return Branch.objects.create(name='South')


@pytest.fixture
def people(north: Branch, south: Branch) -> Iterator[dict[str, Caller]]:
    """Callers by the word that they ask with."""

    def working(key: int, level: int, **more: Any) -> Caller:
        held = Held(over='branches', id=north.pk, level=level, **more)
        return Caller(kind='account', account_id=key, name=f'account {key}', scopes=(held,))

    both = tuple(Held(over='branches', id=each.pk, level=3) for each in (north, south))
    made = {
        'reader': working(1, 1),
        'helper': working(2, 2),
        'manager': working(3, 3),
        'auditor': working(4, 3, read_only=True),
        'owner': Caller(kind='account', account_id=5, name='owner', scopes=both),
        'stranger': Caller(kind='account', account_id=6, name='stranger'),
        'command': Caller(kind='command', name='seed'),
    }
    MADE.update(made)
    yield made
    for word in made:
        del MADE[word]


@pytest.fixture
def ask(people: dict[str, Caller]) -> Ask:
    """Ask as somebody: `ask('manager', 'post', '/items/', {...})`; headers by their WSGI names."""

    def ask(word: str, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        extra: dict[str, Any] = {'HTTP_AUTHORIZATION': f'Caller {word}', **headers}
        content_type = extra.pop('CONTENT_TYPE', 'application/json')
        data = body if isinstance(body, str | bytes) else None
        if data is None and body is not None:
            import json

            data = json.dumps(body)
        response: HttpResponse = Client().generic(
            method.upper(), path, data or '', content_type=content_type, **extra
        )
        return response

    return ask


@pytest.fixture
def make_item(north: Branch) -> Callable[..., Item]:
    def make(**values: Any) -> Item:
        number = Item.objects.count() + 1
        given = {'branch': north, 'code': f'item-{number}', 'title': f'Item {number}', **values}
        return Item.objects.create(**given)

    return make


@pytest.fixture
def keywords(db: None) -> dict[str, Keyword]:
    return {
        word: Keyword.objects.create(word=word, is_secret=word == 'hidden')
        for word in ('art', 'maths', 'hidden')
    }
