"""A browser, and what was published for the pages to show."""

from typing import NamedTuple

import pytest
from django.db import connection

from services.codereview.models import Diff, IssueLink, Tally
from services.codereview.tests import data
from tests.measuring import analyze
from tests.pages.conftest import browser, chromium

__all__ = ['browser', 'chromium']

#: What would run, or end an element, if a page wrote it as it is.
HOSTILE = '</td></title>"\'><script>document.title="ran"</script><img src=x onerror=alert(1)>'


class Published(NamedTuple):
    """Two diffs of one revision, of which the newer one has 104 places in three files."""

    old: Diff
    new: Diff


@pytest.fixture
def published(db: None) -> Published:
    """One issue stays, one is gone, one has no diff, and many are new."""
    # What empties the tables of SQLite between tests with a server deletes row by row: triggers
    # then write entries.
    Tally.objects.all().delete()
    revision = data.stored_revision()
    old, new = data.stored_diff(revision, 'old'), data.stored_diff(revision, 'new', number=555)
    stays, gone = data.stored_issue('stays'), data.stored_issue('gone', path='gone.py')
    data.link(stays, revision, old, line=3)
    data.link(gone, revision, old, line=8)
    data.link(stays, revision, new, line=4, nb_lines=3, in_patch=True)
    data.link(data.stored_issue('undiffed', path='undiffed.py'), revision, line=1)
    fresh = data.stored_issue('fresh', path='c.py', analyzer_check='E303', level='error')
    IssueLink.objects.bulk_create(
        IssueLink(issue=fresh, revision=revision, diff=new, line=line) for line in range(1, 102)
    )
    for name in ('check', 'message'):
        column = 'analyzer_check' if name == 'check' else name
        unsaid = data.stored_issue(f'no {name}', path='z.py', **{column: None})
        data.link(unsaid, revision, new)
    if connection.vendor == 'sqlite':
        analyze()  # without figures it reads every link of a diff for each of them
    return Published(old, new)


@pytest.fixture
def hostile(db: None) -> Diff:
    """Everything that a bot can say, said to do harm."""
    url = 'javascript://hg.mozilla.org/%0Adocument.title="ran"'
    repository = data.repository('hostile', url)
    revision = data.stored_revision(
        provider='github',
        provider_id=7,
        title=HOSTILE,
        base_repository=repository,
        head_repository=repository,
    )
    diff = data.stored_diff(revision, 'hostile', mercurial_hash='"><script>')
    issue = data.stored_issue(
        'hostile',
        path=HOSTILE,
        analyzer='<b>',
        analyzer_check=HOSTILE,
        message=HOSTILE,
        level='error',
    )
    data.link(issue, revision, diff, line=1)
    return diff
