"""`link pr` and `unlink pr`: cases C82 and C83 of the contract."""

import pytest

from backstay.contributing.commands import LinkPull, UnlinkPull
from backstay.contributing.linking import repository_of, resolves, with_link, without_link
from backstay.contributing.prompts import Prompt, Wish, read_prompt
from tests.contributing.making import BOB, answer, assigned, issue, names, pull, templates

MINE = assigned('alice')


def test_c82_issue_7_is_not_linked_by_what_resolves_70() -> None:
    place, named = issue(assignments=MINE), pull(body='Resolves #70')

    commands = answer('link pr 12', place, named=named)

    (command, _said) = commands
    assert isinstance(command, LinkPull)
    assert templates(commands) == ['linked']
    assert 'Resolves #70' in command.body
    assert 'Resolves acme/portal#7\n' in command.body


def test_c82_unlinking_7_leaves_the_text_for_70_intact() -> None:
    first = pull(body=with_link(pull(body='Hello.'), issue(number=70)))
    both = pull(body=with_link(first, issue()))

    (command, _said) = answer('unlink pr 12', issue(assignments=MINE), named=both)

    assert isinstance(command, UnlinkPull)
    assert command.body == first.body


def test_the_section_goes_with_its_last_line() -> None:
    linked = pull(body=with_link(pull(body='Hello.'), issue()))

    assert without_link(linked, issue()) == 'Hello.'


@pytest.mark.parametrize(
    ('facts', 'named', 'reason'),
    [
        ({'open': False}, pull(), 'closed'),
        ({'assignments': ()}, pull(), 'not-assigned'),
        ({}, None, 'no-such-pull'),
        ({}, pull(author=BOB), 'not-your-pull'),
        ({}, pull(body='Closes #7.'), 'already-linked'),
        ({}, pull(author=BOB, body='fixes acme/portal#7'), 'already-linked'),
    ],
)
def test_c83_refuses_with_the_reason_and_edits_nothing(facts, named, reason) -> None:
    commands = answer('link pr 12', issue(**{'assignments': MINE, **facts}), named=named)

    assert templates(commands) == [reason]
    assert names(commands) == ['Comment']


@pytest.mark.parametrize(
    ('facts', 'named', 'reason'),
    [
        ({'assignments': ()}, pull(), 'not-assigned'),
        ({}, None, 'no-such-pull'),
        ({}, pull(body='Closes #71'), 'not-linked'),
        ({}, pull(author=BOB, body='Closes #7'), 'not-your-pull'),
        ({}, pull(body='Closes #7'), 'linked-by-hand'),
    ],
)
def test_unlinking_refuses_with_the_reason(facts, named, reason) -> None:
    commands = answer('unlink pr 12', issue(**{'assignments': MINE, **facts}), named=named)

    assert templates(commands) == [reason]


@pytest.mark.parametrize(
    'body',
    ['Closes #7', 'fixed: acme/portal#7', 'RESOLVES https://github.com/acme/portal/issues/7'],
)
def test_knows_the_words_by_which_github_closes(body: str) -> None:
    assert resolves(pull(body=body), issue())


@pytest.mark.parametrize('body', ['See #7', 'Closes other/portal#7', 'Closes #77', 'discloses #7'])
def test_knows_other_words_from_them(body: str) -> None:
    assert not resolves(pull(body=body), issue())


def test_a_number_alone_is_one_of_its_own_repository() -> None:
    assert not resolves(pull(repository='acme/other', body='Closes #7'), issue())
    assert resolves(pull(repository='acme/other', body='Closes acme/portal#7'), issue())


@pytest.mark.parametrize(
    ('text', 'repository'),
    [
        ('link pr 12', 'acme/portal'),
        ('link pr #12 code-for.life_2', 'acme/code-for.life_2'),
        ('Link PR other#12!', 'acme/other'),
        ('link pr https://github.com/acme/other/pull/12/files?w=1', 'acme/other'),
        ('link pull request acme/other#12', 'acme/other'),
    ],
)
def test_reads_which_pull_request_is_meant(text: str, repository: str) -> None:
    prompt = read_prompt(text)

    assert prompt == Prompt(wish=Wish.LINK, pull=12, repository=prompt.repository)
    assert repository_of(prompt, 'acme/portal') == repository
