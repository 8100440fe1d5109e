"""What the service seeds: the same rows everywhere, of the numbers asked for, counted right."""

from collections import Counter
from datetime import timedelta

import pytest

from backstay.seeding.loading import load, total, verify
from backstay.seeding.plan import EPOCH, make_plan
from services.codereview.checks import statistics
from services.codereview.models import Diff, Issue, IssueLink, Revision, Tally
from services.codereview.seeds import DAYS, SEEDS
from services.codereview.tests.test_counting import counted_links, counted_statistics

#: On every engine, machine and Python.
SMALL = '4ac93c8af8713fc296a8afe60717096c839b637f73317a1b66a6763730efd170'


@pytest.mark.django_db
def test_the_small_rows_are_what_they_were_and_are_counted() -> None:
    plan = make_plan(SEEDS, size='small')
    loaded = load(plan)

    assert total(loaded) == SMALL
    since = (EPOCH - timedelta(days=90)).date()
    found = {tuple(row.values())[:3]: tuple(row.values())[3:] for row in statistics(since)}
    assert found == counted_statistics(since)
    largest = Diff.objects.order_by('-nb_issues')[0]
    assert counted_links(largest.links)[0] == largest.nb_issues > 50
    keys = ('repository', 'analyzer', 'analyzer_check', 'day')
    assert max(Counter(Tally.objects.values_list(*keys)).values()) == 1  # summed up
    assert not any(each.difference for each in verify(plan))


@pytest.mark.django_db
def test_the_small_rows_show_something_of_everything() -> None:
    load(make_plan(SEEDS, size='small'))

    began = EPOCH - timedelta(days=DAYS)
    for model in (Revision, Diff, Issue):
        assert not model.objects.filter(created__gte=EPOCH).exists()
        assert not model.objects.filter(created__lt=began).exists()
    assert Diff.objects.filter(nb_issues=0).exists()
    assert Diff.objects.filter(nb_issues__gt=50).exists()
    assert Revision.objects.filter(provider_id=None).exists()
    assert Revision.objects.filter(provider='github').exists()
    assert IssueLink.objects.filter(diff=None).exists()
    assert IssueLink.objects.filter(line=None).exists()
    assert set(IssueLink.objects.values_list('in_patch', flat=True)) == {True, False, None}
    assert Issue.objects.filter(analyzer_check=None).exists()
    assert len(set(Issue.objects.values_list('analyzer', flat=True))) == 12


@pytest.mark.engine_free
def test_the_large_rows_are_as_many_as_they_shall_be_and_no_link_is_there_twice() -> None:
    plan = make_plan(SEEDS, size='large')
    factories = {factory.model: factory for factory in plan.factories}

    assert {model.__name__: each.rows for model, each in factories.items()} == {
        'Repository': 8,
        'Revision': 20_000,
        'Diff': 40_000,
        'Issue': 300_000,
        'IssueLink': 1_000_000,
    }
    links = factories[IssueLink]
    names = [field.attname for field in links.fields]
    places = [
        tuple(value for name, value in zip(names, values, strict=True) if name != 'id')
        for values in links.values(997_000, 1_000_000)
    ]
    assert len(set(places)) == 3_000
