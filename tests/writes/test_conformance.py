"""Writes that schemathesis makes from what each role is told, sent in that role.

The requests are the same in every run. Many of them are led to rows that are there: made-up keys
would find nothing, and no request would come further than that. What is asserted: no answer of 5xx,
and every answer is one that the role's document describes.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import override_settings
from hypothesis import HealthCheck, Phase, settings

from backstay.caller import GUEST
from backstay.docs import caller_in
from backstay.site.wsgi import application
from tests.described import each_operation
from tests.lending.models import Branch, Cover, Item, Keyword, Loan, Note, Stamp
from tests.resources.http.test_generated_requests import CHECKS
from tests.rights.site import MADE
from tests.writes.test_openapi import DOCUMENTS

#: The role whose document a caller is told, and whose standing is the caller's.
ROLE_OF = {
    'guest': 'guest',
    'stranger': 'account',
    'helper': 'level:2',
    'manager': 'level:3',
    'owner': 'level:3',
}
WRITES = ('post', 'put', 'patch', 'delete')


def served(role: str, below: str = '/') -> Any:
    """The writes that a role is told of, called in this process."""
    document = DOCUMENTS[role]
    paths = {
        path: {method: strict(found[method]) for method in WRITES if method in found}
        for path, found in document['paths'].items()
        if path.startswith(below) and not path.endswith('/query/')
    }
    loaded = schemathesis.openapi.from_dict({**document, 'paths': paths})
    loaded.app = application
    # Its hundreds of cases for each operation are sent by `test_hostile`.
    loaded.config.phases.coverage.enabled = False
    return loaded


def strict(operation: dict[str, Any]) -> dict[str, Any]:
    """The operation without the answer that stands for any other."""
    responses = {name: each for name, each in operation['responses'].items() if name != 'default'}
    return {**operation, 'responses': responses}


# A guest is told of no write, and may try those of others all the same.
guest = stranger = served('account')
helper, manager = served('level:2'), served('level:3')
#: Told what a manager is, with rows of another branch.
owner = served('level:3', '/items/')

repeatable = settings(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)
Keys = dict[str, Any]


@pytest.fixture(autouse=True)
def keys(people: Any, north: Branch, south: Branch) -> Iterator[Keys]:
    """Rows, in a transaction that the end of a request does not close the connection of."""
    items = [
        Item.objects.create(
            branch=branch, code=f'i{at}', title='T', status=status, details={'a': {'b': 1}}
        )
        for at, (branch, status) in enumerate(
            [(north, 'draft'), (north, 'open'), (south, 'open'), (south, 'draft')]
        )
    ]
    gone = Item.objects.create(branch=north, code='gone', title='G', deleted_at='2026-01-01T00:00Z')
    Cover.objects.create(item=items[0], colour='red')
    word = Keyword.objects.create(word='art')
    items[0].keywords.add(word)
    loan = Loan.objects.create(item=items[1], reader='Ada')
    note = Note.objects.create(item=items[0], text='note')
    Stamp.objects.create(code='s1', label='S')
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    with override_settings(ROOT_URLCONF='tests.lending.site'):
        yield {
            'items': items[0].pk,
            'restore': gone.pk,
            'branches': north.pk,
            'keywords': word.pk,
            'loans': loan.pk,
            'notes': note.pk,
            'stamps': 's1',
        }
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


def lead(case: schemathesis.Case, keys: Keys) -> None:
    """Lead the request to rows that are there."""
    parts = case.operation.path.strip('/').split('/')
    found = keys['restore' if parts[-1] == 'restore' else parts[0]]
    for name in case.path_parameters or ():
        case.path_parameters[name] = str(found)
    case.body = led(case.body, keys, found)
    if 'If-Match' in (case.headers or {}):
        case.headers['If-Match'] = '*'


def led(body: Any, keys: Keys, found: Any) -> Any:
    """A body with the keys of rows that are there."""
    if isinstance(body, list):
        return [led(each, keys, found) for each in body]
    if not isinstance(body, dict):
        return body
    known = {'branch_id': keys['branches'], 'item_id': keys['items'], 'keywords': keys['keywords']}
    changed = {name: led(each, keys, found) for name, each in body.items()}
    for name in changed.keys() & {'branch_id', 'item_id'}:
        changed[name] = known[name]
    if changed.get('keywords'):
        changed['keywords'] = [known['keywords']]
    if changed.get('op') in ('update', 'delete'):
        changed['id'] = found
    return changed


def call(case: schemathesis.Case, word: str, keys: Keys) -> None:
    """Send a case as it is, and led to what is there."""
    headers = {'Authorization': f'Caller {word}'}
    case.call_and_validate(headers=headers, checks=CHECKS)
    lead(case, keys)
    case.call_and_validate(headers=headers, checks=CHECKS)


@each_operation(guest)
@repeatable
def test_every_answer_to_a_guest_is_as_described(case: schemathesis.Case, keys: Keys) -> None:
    answer = case.call(headers={'Authorization': 'Caller guest'})
    assert 400 <= answer.status_code < 500
    call(case, 'guest', keys)


@each_operation(stranger)
@repeatable
def test_every_answer_to_a_stranger_is_as_described(case: schemathesis.Case, keys: Keys) -> None:
    call(case, 'stranger', keys)


@each_operation(helper)
@repeatable
def test_every_answer_to_a_helper_is_as_described(case: schemathesis.Case, keys: Keys) -> None:
    call(case, 'helper', keys)


@each_operation(manager)
@repeatable
def test_every_answer_to_a_manager_is_as_described(case: schemathesis.Case, keys: Keys) -> None:
    call(case, 'manager', keys)


@each_operation(owner)
@repeatable
def test_every_answer_to_an_owner_is_as_described(case: schemathesis.Case, keys: Keys) -> None:
    call(case, 'owner', keys)


def test_each_caller_stands_where_the_role_does(people: Any) -> None:
    for word in ('guest', 'helper', 'manager', 'owner'):
        # They hold their level over branches, a role holds it itself: no grant asks which.
        described = replace(caller_in(ROLE_OF[word]).standing(writing=True), own_level=0)
        assert MADE.get(word, GUEST).standing(writing=True) == described
    # An account in a document has the level of one that is signed in, which no grant asks for.
    assert MADE['stranger'].standing().kind == caller_in(ROLE_OF['stranger']).kind


def test_every_write_of_a_role_is_made() -> None:
    assert stranger.statistic.operations.total == 6
    assert helper.statistic.operations.total == 5 + 4 + 6 + 6
    assert manager.statistic.operations.total == 8 + 3 + 6 + 4 + 6 + 6
    assert owner.statistic.operations.total == 8
