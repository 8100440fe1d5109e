"""The agreement on the simulated GitHub: check, branch of signatures, forks and failures."""

import httpx
import pytest

from backstay.contributing.agreement import CHECK, digest
from backstay.contributing.github.signatures import (
    SignaturesUnreadable,
    read_signatures,
    write_signature,
)
from backstay.contributing.snapshot import Person
from tests.contributing.github.events import commented, pull_changed, queued
from tests.contributing.github.running import Site
from tests.contributing.github.simulator import GitHub
from tests.contributing.github.state import Thing, Work
from tests.contributing.making import ALICE, BOB, signature

SENTENCE = 'I have read the agreement and I sign it'


@pytest.fixture(autouse=True)
def agreement(github: GitHub) -> None:
    """The repository asks for an agreement."""
    github.configure('[agreement]\nversion = "1.2.0"\nlink = "https://acme.example/agreement"')


def push(site: Site, pull: Thing, action: str = 'synchronize') -> None:
    """A pull request changes and the workflow runs."""
    assert site.run('pull_request_target', pull_changed(action, pull)).failed == []


def sign(site: Site, pull: Thing, by=ALICE, text: str = SENTENCE) -> None:
    """Somebody signs and the workflow runs."""
    comment = site.github.comment(pull, text, by)
    site.github.calls.clear()
    assert site.run('issue_comment', commented(pull, comment)).failed == []


def conclusion(github: GitHub, pull: Thing) -> str | None:
    """What the check says."""
    check = github.check_of(pull)
    assert check['name'] == CHECK
    return check.get('conclusion')


def test_c98_a_fork_fails_signs_and_is_green_by_itself(github: GitHub, site: Site) -> None:
    pull = github.add_pull(from_fork=True)
    push(site, pull, 'opened')
    assert conclusion(github, pull) == 'failure'
    (told,) = github.said(pull)
    assert '@alice has not signed yet' in told
    assert f'> {SENTENCE}' in told

    sign(site, pull)

    assert conclusion(github, pull) == 'success'
    (told,) = github.said(pull)
    assert 'has signed' in told
    (kept,) = github.signatures()
    assert kept == {
        'id': ALICE.id,
        'login': 'alice',
        'version': '1.2.0',
        'addresses': [digest('alice@example.com')],
        'at': '2026-06-15T12:00:00+00:00',
        'where': f'acme/portal/pull/12#issuecomment-{pull.comments[-1].id}',
    }
    assert len(github.calls) == 4


def test_c97_everybody_has_signed_also_co_authors(github: GitHub, site: Site) -> None:
    both = Work(
        sha='e' * 40,
        at=github.now,
        authors=[('Alice', 'ALICE@example.com', ALICE), ('Bob', 'bob@example.com', BOB)],
    )
    pull = github.add_pull(commits=[both])
    push(site, pull)
    sign(site, pull)
    assert conclusion(github, pull) == 'failure'

    sign(site, pull, BOB)

    assert conclusion(github, pull) == 'success'
    assert [each['login'] for each in github.signatures()] == ['alice', 'bob']


def test_a_later_pull_request_of_who_signed_is_green_without_a_word(
    github: GitHub, site: Site
) -> None:
    first = github.add_pull()
    push(site, first)
    sign(site, first)
    second = github.add_pull(number=13)

    push(site, second, 'opened')

    assert conclusion(github, second) == 'success'
    assert github.said(second) == []


def test_another_open_pull_request_turns_green_with_the_sweep(github: GitHub, site: Site) -> None:
    first, second = github.add_pull(), github.add_pull(number=13)
    push(site, first)
    push(site, second)
    sign(site, first)
    assert conclusion(github, second) == 'failure'

    site.sweep()

    assert conclusion(github, second) == 'success'


def test_a_new_push_is_checked_again(github: GitHub, site: Site) -> None:
    pull = github.add_pull()
    push(site, pull)
    sign(site, pull)
    more = Work(sha='d' * 40, at=github.now, authors=[('Bob', 'bob@example.com', BOB)])
    pull.commits.append(more)
    pull.head = more.sha

    push(site, pull)

    assert conclusion(github, pull) == 'failure'
    assert '@bob has not signed yet' in github.said(pull)[0]


def test_the_hundred_and_first_commit_counts(github: GitHub, site: Site) -> None:
    works = [
        Work(sha=f'{n:040x}', at=github.now, authors=[('Alice', 'alice@example.com', ALICE)])
        for n in range(1, 131)
    ]
    works[120].authors = [('Bob', 'bob@example.com', BOB)]
    pull = github.add_pull(commits=works)
    push(site, pull)
    sign(site, pull)

    assert conclusion(github, pull) == 'failure'
    assert '@bob' in github.said(pull)[0]


def test_c99_a_listed_app_is_exempt(github: GitHub, site: Site) -> None:
    from tests.contributing.test_agreement import DEPENDABOT, ITS_ADDRESS

    work = Work(sha='f' * 40, at=github.now, authors=[('dependabot[bot]', ITS_ADDRESS, DEPENDABOT)])
    pull = github.add_pull(author=DEPENDABOT, commits=[work])

    push(site, pull)

    assert conclusion(github, pull) == 'success'


def test_c102_an_unreadable_store_is_neither_pass_nor_failure_and_heals(
    github: GitHub, site: Site
) -> None:
    elsewhere = github.add_repository('signatures')
    github.configure(
        '[agreement]\nversion = "1.2.0"\nlink = "https://acme.example/agreement"\n'
        'repository = "acme/signatures"'
    )
    github.unreadable.add('acme/signatures')
    pull = github.add_pull()

    push(site, pull)
    assert github.check_of(pull)['status'] == 'queued'
    assert conclusion(github, pull) is None
    sign(site, pull)
    assert 'cannot be read just now' in github.said(pull)[0]
    assert conclusion(github, pull) is None
    github.unreadable.clear()
    site.sweep()

    assert conclusion(github, pull) == 'failure'
    sign(site, pull)
    assert conclusion(github, pull) == 'success'
    assert len(github.signatures(elsewhere)) == 1
    assert len(github.calls) == 5


@pytest.mark.parametrize('line', ['{', '[]', '{"id": 1}', '{"id": "1", "version": "1.0.0"}'])
def test_c102_a_broken_file_is_no_pass(github: GitHub, site: Site, line: str) -> None:
    good = write_signature(signature(ALICE))
    github.repository.branches['signatures'] = {'signatures.jsonl': f'{good}{line}\n'}
    pull = github.add_pull()

    push(site, pull)

    assert conclusion(github, pull) is None


def test_a_signature_that_cannot_be_written_turns_nothing_green(github: GitHub, site: Site) -> None:
    pull = github.add_pull()
    push(site, pull)
    github.fault = lambda request: httpx.Response(500) if request.method == 'PUT' else None

    comment = github.comment(pull, SENTENCE)
    report = site.run('issue_comment', commented(pull, comment))

    assert [place for place, _reason in report.failed] == ['#12']
    assert conclusion(github, pull) == 'failure'
    github.fault = lambda _request: None
    site.run('issue_comment', commented(pull, comment))
    assert conclusion(github, pull) == 'success'


def test_two_who_sign_at_the_same_time_are_both_kept(github: GitHub, site: Site) -> None:
    pull = github.add_pull()
    push(site, pull)
    files = github.repository.branches['signatures']

    def bob_is_faster(request: httpx.Request) -> None:
        if request.method == 'PUT' and not files['signatures.jsonl']:
            files['signatures.jsonl'] = write_signature(signature(BOB))

    github.fault = bob_is_faster
    sign(site, pull)

    assert [each['login'] for each in github.signatures()] == ['bob', 'alice']
    assert conclusion(github, pull) == 'success'


def test_a_branch_that_was_deleted_is_made_again(github: GitHub, site: Site) -> None:
    pull = github.add_pull()
    comment = github.comment(pull, SENTENCE)

    site.run('issue_comment', commented(pull, comment))

    assert len(github.signatures()) == 1


def test_a_file_that_is_too_long_for_graphql_is_read_whole(github: GitHub, site: Site) -> None:
    lines = [write_signature(signature(BOB)), write_signature(signature(ALICE))]
    github.repository.branches['signatures'] = {'signatures.jsonl': ''.join(lines)}
    github.longest_text = len(lines[0])
    pull = github.add_pull()
    github.longest_text = max(github.longest_text, 100)

    push(site, pull)

    assert conclusion(github, pull) == 'success'
    assert any('/git/blobs/' in call for call in github.calls)


def test_c103_a_commit_without_an_account_is_named(github: GitHub, site: Site) -> None:
    stray = Work(sha='abc1234' + '0' * 33, at=github.now, authors=[('Al', 'al@laptop', None)])
    pull = github.add_pull(commits=[stray])

    push(site, pull)

    assert '`abc1234`' in github.said(pull)[0]
    assert '`abc1234`' in github.check_of(pull)['output']['summary']


def test_a_pull_request_with_the_label_to_ignore_is_left_alone(github: GitHub, site: Site) -> None:
    pull = github.add_pull(labels=[':robot:'])

    push(site, pull)

    assert github.writes == []


def test_signatures_are_read_as_they_were_written() -> None:
    signed = signature(ALICE, addresses=(digest('a@example.com'),))

    assert read_signatures(write_signature(signed)) == (signed,)


@pytest.mark.parametrize('text', ['null', '{"id": 1, "version": "1.0"}', 'x'])
def test_what_is_no_signature_makes_the_file_unreadable(text: str) -> None:
    with pytest.raises(SignaturesUnreadable):
        read_signatures(text)


def test_the_forty_fifth_author_of_a_commit_is_asked_too(github: GitHub, site: Site) -> None:
    pull = github.add_pull()
    (work,) = pull.commits
    work.authors = [('Alice', 'alice@example.com', ALICE)] * 44 + [('Bob', 'bob@example.com', BOB)]

    push(site, pull)

    assert conclusion(github, pull) == 'failure'
    assert '@bob' in github.said(pull)[0]


@pytest.mark.parametrize(('by', 'concluded'), [((), 'failure'), ((ALICE,), 'success')])
def test_a_merge_queue_gets_the_check_on_the_commit_that_it_made(
    by: tuple[Person, ...], concluded: str, github: GitHub, site: Site
) -> None:
    pull = github.add_pull()
    for person in by:
        sign(site, pull, person)
    said, made = len(pull.comments), 'beef' * 10

    assert site.run('merge_group', queued(pull, made)).failed == []

    (check,) = github.repositories['acme/portal'].checks[made]
    assert (check['name'], check['conclusion']) == ('Contributor agreement', concluded)
    assert len(pull.comments) == said, 'nothing is said'
