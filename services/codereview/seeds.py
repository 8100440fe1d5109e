"""What `backstay seed codereview` writes: 120 days of a bot's work.

Rows are laid out in blocks of twenty revisions, which are alike: what a revision has, and which
links are whose, follows from numbers alone. Numbers of a size are in one proportion: for each
revision two diffs, fifteen new issues and fifty links.
"""

import base64
import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from backstay.seeding import Draw, Row, Seed, tidy
from services.codereview.findings import ANALYZERS, SHARES, Analyzer, name, path
from services.codereview.models import (
    Diff,
    Issue,
    IssueLink,
    Level,
    Provider,
    Repository,
    Revision,
    Sighting,
    Tally,
)
from services.codereview.tasks import sum_tallies

DAYS = 120
_UNIX = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_REVISIONS = {'small': 120, 'large': 20_000}
_HG = 'https://hg.mozilla.org/'
#: Slug, URL.
_REPOSITORIES = (
    ('mozilla-central', f'{_HG}mozilla-central'),
    ('try', f'{_HG}try'),
    ('autoland', f'{_HG}integration/autoland'),
    ('nss', f'{_HG}projects/nss'),
    ('nss-try', f'{_HG}projects/nss-try'),
    ('comm-central', f'{_HG}comm-central'),
    ('try-comm-central', f'{_HG}try-comm-central'),
    ('mozilla_code-review', 'https://github.com/mozilla/code-review'),
)


class _Shape(NamedTuple):
    """A revision of a block: how much it has, and where that begins in the block."""

    diffs: int
    links: int
    issues: int
    first_diff: int
    first_issue: int


#: Diffs, and tens of links, of the revisions of a block. What has no diff is a push.
_BLOCK = (
    *((2, 2), (1, 0), (3, 22), (2, 5), (1, 1), (0, 9), (2, 3), (2, 0), (4, 15), (1, 2)),
    *((3, 7), (1, 0), (2, 11), (2, 1), (3, 4), (2, 8), (1, 0), (4, 6), (0, 3), (4, 1)),
)


def _shapes() -> Iterator[_Shape]:
    diffs = tens = 0
    for own_diffs, own_tens in _BLOCK:
        yield _Shape(own_diffs, 10 * own_tens, 3 * own_tens, diffs, 3 * tens)
        diffs, tens = diffs + own_diffs, tens + own_tens


_SHAPES = tuple(_shapes())
#: By diff, issue and link of a block: its revision, and which of the revision's it is.
_DIFFS = tuple((at, n) for at, shape in enumerate(_SHAPES) for n in range(shape.diffs))
_ISSUES = tuple((at, n) for at, shape in enumerate(_SHAPES) for n in range(shape.issues))
_LINKS = tuple((at, n) for at, shape in enumerate(_SHAPES) for n in range(shape.links))


def _rows(per_block: int) -> dict[str, int]:
    return {size: count * per_block // len(_BLOCK) for size, count in _REVISIONS.items()}


def _hex(draw: Draw, length: int) -> str:
    """A hash of so many digits, as it would be of anything."""
    return f'{draw.below(16**20):020x}{draw.below(16**20):020x}'[:length]


# Revisions


def _begun(until: dt.datetime, index: int, revisions: int) -> dt.datetime:
    """When a revision was made: the first 120 days before the end, then one after the other."""
    ago = dt.timedelta(days=DAYS) * (revisions - index) / revisions
    return until - ago + ago / (revisions - index) * (index * 617 % 1000) / 1000


def _is_push(row: Row) -> bool:
    return not _SHAPES[row.index % len(_BLOCK)].diffs


def _provider(row: Row) -> Provider:
    is_pull = not _is_push(row) and row.random.chance(0.1)
    return Provider.GITHUB if is_pull else Provider.PHABRICATOR


def _provider_id(row: Row) -> int | None:
    if _is_push(row):
        return None
    return row.index + (1 if row['provider'] == Provider.GITHUB else 230_000)


def _base_repository(row: Row) -> Row:
    if row['provider'] == Provider.GITHUB:
        return row.of(Repository, 7)
    return row.of(Repository, row.random.weighted({0: 90, 3: 4, 5: 6}))


def _head_repository(row: Row) -> Row:
    """Pushes land; what is reviewed is tried."""
    if row['provider'] == Provider.GITHUB:
        return row.of(Repository, 7)
    if _is_push(row):
        return row.of(Repository, row.random.weighted({0: 1, 2: 3}))
    tried_on = {0: 1, 3: 4, 5: 6}
    return row.of(Repository, tried_on[row['base_repository'].index])


def _title(row: Row) -> str:
    if _is_push(row):
        return f'Changeset {row["head_changeset"][:12]} ({row["head_repository"]["url"]})'
    draw = row.random
    verb = draw.pick(('Fix', 'Remove', 'Simplify', 'Test', 'Make async:', 'Stop leaking', 'Port'))
    reviewer = draw.pick(('amira', 'ben', 'chloe', 'devtools-reviewers', 'goran', 'geckoview'))
    what = f'{verb} {name(draw)} in {path(draw, ("cpp", "mjs", "py", "rs"))}'
    bug = row['bugzilla_id']
    return f'Bug {bug} - {what}. r={reviewer}' if bug else f'{what} (#{row["provider_id"]})'


def _bugzilla_id(row: Row) -> int | None:
    if _is_push(row) or row['provider'] == Provider.GITHUB:
        return None
    return 1_980_000 + row.index // 3 + row.random.below(2_000)


# Diffs


def _place_of_diff(row: Row) -> tuple[int, int]:
    """Its revision, and which of its diffs it is."""
    block, at = divmod(row.index, len(_DIFFS))
    revision, number = _DIFFS[at]
    return block * len(_BLOCK) + revision, number


def _diff_revision(row: Row) -> Row:
    return row.of(Revision, _place_of_diff(row)[0])


def _diff_created(row: Row) -> dt.datetime:
    """The first soon after its revision, the others some hours later, and none after the end."""
    revision, number = _place_of_diff(row)
    begun: dt.datetime = row.of(Revision, revision)['created']
    step = min(dt.timedelta(hours=5), (row.until - begun) / 5)
    return begun + step * number + step * (row.random.below(900) + 1) / 1000


def _diff_provider_id(row: Row) -> str:
    if row['revision']['provider'] == Provider.GITHUB:
        return str(row['mercurial_hash'])
    letters = base64.b32encode(row.random.below(1 << 104).to_bytes(13, 'big'))
    return f'PHID-DIFF-{letters.decode()[:20].lower()}'


def _task_id(row: Row) -> str:
    """A random UUID as Taskcluster writes it."""
    return base64.urlsafe_b64encode(row.random.below(1 << 128).to_bytes(16, 'big')).decode()[:22]


# Issues


def _first_revision(index: int) -> int:
    """In which revision an issue is found first."""
    block, at = divmod(index, len(_ISSUES))
    return block * len(_BLOCK) + _ISSUES[at][0]


def _issue_created(row: Row) -> dt.datetime:
    """Within the first half hour of its revision, while the analysis runs."""
    blocks = row.count(Issue) // len(_ISSUES)
    begun = _begun(row.until, _first_revision(row.index), blocks * len(_BLOCK))
    room = min(dt.timedelta(minutes=30), row.until - begun)
    return begun + room * row.random.below(1000) / 1000


def _issue_id(row: Row) -> UUID:
    """One that begins with its moment, as those of a bulk do."""
    milliseconds = (row['created'] - _UNIX) // dt.timedelta(milliseconds=1)
    high, low = row.random.below(1 << 12), row.random.below(1 << 62)
    return UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low)


def _analyzer(row: Row) -> Analyzer:
    return next(each for each in ANALYZERS if each.name == row['analyzer'])


def _check(row: Row) -> str | None:
    checks = _analyzer(row).checks
    return checks[row.random.zipf(len(checks))] if row.random.below(200) else None


def _message(row: Row) -> str | None:
    draw = row.random
    if not draw.below(100):
        return None
    message = draw.pick(_analyzer(row).messages)
    return message.replace('{}', name(draw))


def _level(row: Row) -> Level:
    return Level.ERROR if row.random.below(100) < _analyzer(row).errors else Level.WARNING


# Links


class _Place(NamedTuple):
    """Of a link: block, revision in it, and which of the revision's links it is."""

    block: int
    revision: int
    number: int

    @property
    def shape(self) -> _Shape:
        """What its revision has."""
        return _SHAPES[self.revision]


def _place(row: Row) -> _Place:
    block, at = divmod(row.index, len(_LINKS))
    return _Place(block, *_LINKS[at])


def _link_issue(row: Row) -> Row:
    """First what is new in the revision, then the same in later diffs, then what others had."""
    place = _place(row)
    shape = place.shape
    is_own = place.number < (2 * shape.issues if shape.diffs > 1 else shape.issues)
    if is_own or not place.block:
        at = place.block * len(_ISSUES) + shape.first_issue + place.number % shape.issues
    else:
        block = place.block - 1 - row.random.zipf(place.block)
        at = block * len(_ISSUES) + row.random.below(len(_ISSUES))
    return row.of(Issue, at)


def _link_revision(row: Row) -> Row:
    place = _place(row)
    return row.of(Revision, place.block * len(_BLOCK) + place.revision)


def _link_diff(row: Row) -> Row | None:
    """A push has none, and some issues were published without."""
    place = _place(row)
    shape = place.shape
    if not shape.diffs or row.random.below(20) == 0:
        return None
    diff = place.number // shape.issues % shape.diffs
    return row.of(Diff, place.block * len(_DIFFS) + shape.first_diff + diff)


def _line(row: Row) -> int | None:
    """No two links of a revision have the same line, so none is there twice; one has none."""
    place = _place(row)
    links = place.shape.links
    if place.number == links - 1:
        return None
    return 1 + place.number + links * row.random.below(max(1, 2_000 // links))


def _settle() -> None:
    """Triggers entered one chunk after the other into the ledger, which no site does in minutes."""
    sum_tallies.call()
    tidy(Tally, rewrite=True)
    tidy(Sighting)


SEEDS = (
    Seed(
        Repository,
        rows=len(_REPOSITORIES),
        slug=lambda row: _REPOSITORIES[row.index][0],
        url=lambda row: _REPOSITORIES[row.index][1],
        created=lambda row: row.until - dt.timedelta(days=DAYS + 1),
        updated=lambda row: row['created'],
    ),
    Seed(
        Revision,
        rows=_REVISIONS,
        kept=('nb_issues', 'nb_issues_publishable', 'nb_warnings', 'nb_errors'),
        created=lambda row: _begun(row.until, row.index, row.count(Revision)),
        updated=lambda row: row['created'],
        provider=_provider,
        provider_id=_provider_id,
        base_repository=_base_repository,
        head_repository=_head_repository,
        base_changeset=lambda row: _hex(row.random, 40),
        head_changeset=lambda row: _hex(row.random, 40),
        title=_title,
        bugzilla_id=_bugzilla_id,
    ),
    Seed(
        Diff,
        rows=_rows(len(_DIFFS)),
        kept=(
            'base_repository',
            'head_repository',
            'nb_issues',
            'nb_issues_publishable',
            'nb_warnings',
            'nb_errors',
        ),
        created=_diff_created,
        updated=lambda row: row['created'],
        revision=_diff_revision,
        provider_id=_diff_provider_id,
        number=lambda row: (
            None if row['revision']['provider'] == Provider.GITHUB else 940_000 + row.index
        ),
        review_task_id=_task_id,
        mercurial_hash=lambda row: _hex(row.random, 40),
        repository=lambda row: row['revision']['head_repository'],
    ),
    Seed(
        Issue,
        rows=_rows(len(_ISSUES)),
        id=_issue_id,
        created=_issue_created,
        updated=lambda row: row['created'],
        analyzer=lambda row: ANALYZERS[row.random.weighted(SHARES)].name,
        analyzer_check=_check,
        path=lambda row: path(row.random, _analyzer(row).endings),
        level=_level,
        message=_message,
        hash=lambda row: _hex(row.random, 32),
    ),
    Seed(
        IssueLink,
        rows=_rows(len(_LINKS)),
        afterwards=_settle,
        issue=_link_issue,
        revision=_link_revision,
        diff=_link_diff,
        line=_line,
        nb_lines=lambda row: row.random.weighted({1: 85, 2: 6, 3: 4, 8: 3, 21: 2}),
        char=lambda row: row.random.between(1, 99) if row.random.below(5) == 0 else None,
        in_patch=lambda row: row.random.weighted({True: 55, False: 40, None: 5}),
        new_for_revision=lambda row: row.random.weighted({None: 7, True: 2, False: 1}),
    ),
)
