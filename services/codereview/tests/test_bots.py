"""Bots on connections of their own, against the server that everybody runs; `make bench-codereview`
does the same for longer, with fifty.
"""

from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Count

from backstay.engine import engine_of
from bench.codereview.bots import publish
from bench.codereview.site import served
from services.codereview.models import Diff, IssueLink
from services.codereview.tests import data
from services.codereview.tests.test_counting import counted_links


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    engine_of(connection).name != 'postgresql', reason='SQLite lets one write at a time'
)
def test_bots_publish_at_once_while_others_read(tmp_path: Path) -> None:
    data.two_repositories()
    data.bot_account()
    at = connection.settings_dict
    account = at['USER'] + (f':{at["PASSWORD"]}' if at['PASSWORD'] else '')
    url = f'postgres://{account}@{at["HOST"]}:{at["PORT"] or 5432}/{at["NAME"]}'

    with served('ours', folder=tmp_path, DATABASE_URL=url) as port:
        done = publish(
            port, name='bot', password='s3cret', bots=12, readers=2, seconds=1.5, bulks=2, size=40
        )

    assert not done.wrong
    assert done.issues >= 12 * 2 * 40
    places = ('issue', 'revision', 'diff', 'line', 'nb_lines', 'char', 'in_patch')
    assert not IssueLink.objects.values(*places).annotate(n=Count('pk')).filter(n__gt=1).exists()
    assert Diff.objects.count() == len(done.revisions)
    for diff in Diff.objects.order_by('pk')[:10]:
        counters = diff.nb_issues, diff.nb_issues_publishable, diff.nb_warnings, diff.nb_errors
        assert counters == counted_links(diff.links)
