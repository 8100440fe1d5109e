"""What is asked, and what it may take: the requests of the bot, the front end and an operator."""

import base64
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from bench.cases import difference
from bench.codereview.bots import TITLE
from bench.codereview.site import NAME, PASSWORD

BASIC = 'Basic ' + base64.b64encode(f'{NAME}:{PASSWORD}'.encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of request."""

    title: str
    #: Milliseconds that it may take.
    aim: float
    #: Asked in turn; the next request goes to the next of them.
    paths: tuple[str, ...]
    #: Makes the body of a POST; None for GET.
    body: Callable[[], bytes] | None = None
    #: Whether it is a page of the admin, which an operator asks for.
    is_page: bool = False

    @property
    def method(self) -> str:
        """GET or POST."""
        return 'POST' if self.body else 'GET'


def reads() -> list[Case]:
    """The reads; which diffs and paths are asked for depends on what is stored."""
    from services.codereview.models import Diff, Issue

    draw = random.Random(1)
    diffs = list(
        Diff.objects.filter(nb_issues__range=(15, 50)).values_list('provider_id', flat=True)
    )
    issues = Issue.objects.filter(sightings__repository__slug='try').order_by('hash')
    paths = sorted(set(issues.values_list('path', flat=True)[:2_000]))
    month = datetime.now(UTC).date() - timedelta(days=30)
    return [
        Case(title='diffs', aim=9, paths=('/v1/diff/',)),
        Case(
            title='diffs of a repository, publishable',
            aim=15,
            paths=('/v1/diff/?repository=mozilla-central&issues=publishable',),
        ),
        Case(title='check statistics', aim=60, paths=('/v1/check/stats/',)),
        Case(
            title='check statistics, last month',
            aim=60,
            paths=(f'/v1/check/stats/?since={month}',),
        ),
        Case(title='history', aim=10, paths=('/v1/check/history/',)),
        Case(
            title='known issues of a path',
            aim=8,
            paths=tuple(f'/v1/issues/try/?path={path}' for path in draw.sample(paths, 40)),
        ),
        Case(
            title='issues of a diff',
            aim=5,
            paths=tuple(f'/v1/diff/{diff}/issues/' for diff in draw.sample(diffs, 40)),
        ),
        Case(title='admin: issues', aim=60, paths=('/admin/codereview/issue/',), is_page=True),
    ]


def bulk(count: int, aim: float) -> Case:
    """A bulk of issues that nobody has published before, for a revision of its own."""
    return Case(
        title=f'bulk of {count:,}'.replace(',', ' '),
        aim=aim,
        paths=(f'/v1/revision/{new_revision()}/issues/',),
        body=lambda: as_bulk([element() for _ in range(count)]),
    )


def new_revision() -> int:
    """The key of a new revision, which `clean` deletes."""
    from services.codereview.models import Repository, Revision

    central, on_try = Repository.objects.filter(slug__in=['mozilla-central', 'try']).order_by('id')
    return Revision.objects.create(
        provider_id=None,
        title=f'{TITLE} {uuid4()}',
        base_repository=central,
        head_repository=on_try,
        head_changeset=uuid4().hex,
    ).pk


def as_bulk(elements: list[dict[str, object]]) -> bytes:
    """The body of a bulk."""
    return json.dumps({'issues': elements}).encode()


def element(**given: object) -> dict[str, object]:
    """An issue as the bot sends it, with a hash that no other has."""
    number = random.randrange(1, 2_000)
    return {
        'analyzer': 'source-test-mozlint-eslint',
        'path': f'browser/components/urlbar/Module{number}.mjs',
        'line': number,
        'nb_lines': 1,
        'column': 7,
        'check': ('no-unused-vars', 'no-undef', 'prettier/prettier')[number % 3],
        'level': 'error' if number % 2 else 'warning',
        'message': f"'aName{number}' is assigned a value but never used. Allowed unused vars must "
        'match /^_/u.',
        'in_patch': number % 3 == 0,
        'validates': True,
        'publishable': True,
        'hash': uuid4().hex,
        'fix': None,
        **given,
    }


def unequal(ours: bytes, theirs: bytes, case: Case) -> str:
    """Where two answers to the same request differ; empty where they say the same."""
    wrong = difference(_comparable(ours, case), _comparable(theirs, case))
    return f'{case.title}: {wrong}' if wrong else ''


def _comparable(body: bytes, case: Case) -> object:
    """The values of an answer: without ports in URLs, and the ids that new issues were given."""
    text = re.sub(r'127\.0\.0\.1:\d+', 'host', body.decode())
    if case.is_page:
        return re.findall(r'<td class="field-(?:path|level|analyzer)[^>]*>([^<]*)', text)
    value = json.loads(text)
    if case.body:
        for each in value['issues']:
            each.pop('id')
    return value
