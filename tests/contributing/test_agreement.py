"""The agreement: cases C97 to C103 of the contract, and who counts as who."""

from dataclasses import replace

import pytest

from backstay.contributing import Config, decide
from backstay.contributing.agreement import SIGNED, digest
from backstay.contributing.commands import CreateStore, EditComment, RecordSignature, SetCheck
from backstay.contributing.configuration import Agreement
from backstay.contributing.events import PullChanged, PullSwept
from backstay.contributing.replies import render
from backstay.contributing.snapshot import Author, Check, CheckState, Person, Snapshot, Store
from tests.contributing.making import (
    AGREEMENT,
    ALICE,
    BOB,
    NOW,
    author,
    commit,
    issue,
    names,
    on_pull,
    pull,
    said,
    signature,
    templates,
)

SENTENCE = 'I have read the agreement and I sign it'
BY_ALICE = (commit(author(ALICE)),)
BY_BOTH = (commit(author(ALICE), author(BOB)),)
CONFIG = Config(agreement=AGREEMENT)
PUSHED = PullChanged(number=12)


def checked(place, *signatures, config=CONFIG, exists=True, event=PUSHED):
    store = Store(signatures=signatures, exists=exists)
    return decide(event, Snapshot(pull=place, store=store), config, NOW)


def signs(place, *signatures, by=ALICE, exists=True):
    store = Store(signatures=signatures, exists=exists)
    return decide(on_pull(SENTENCE, by), Snapshot(pull=place, store=store), CONFIG, NOW)


def state_of(commands):
    return [command.state for command in commands if isinstance(command, SetCheck)]


def said_of(commands):
    return '\n'.join(render(each.text) for each in commands if hasattr(each, 'text'))


def test_c97_passes_when_every_author_and_co_author_signed() -> None:
    (command,) = checked(pull(commits=BY_BOTH), signature(ALICE), signature(BOB))

    assert command == SetCheck(sha=pull().sha, state=CheckState.PASSED, summary=SIGNED)


def test_c97_the_case_of_an_address_does_not_matter() -> None:
    stray = Author(name='Alice', email='Alice@Example.COM')
    signed = signature(ALICE, addresses=(digest('alice@example.com'),))

    assert state_of(checked(pull(commits=(commit(stray),)), signed)) == [CheckState.PASSED]


def test_c98_fails_and_names_who_and_how_to_sign() -> None:
    commands = checked(pull(commits=BY_BOTH), signature(ALICE))

    assert state_of(commands) == [CheckState.FAILED]
    text = said_of(commands)
    assert '@bob has not signed yet' in text
    assert '@alice' not in text
    assert SENTENCE in text
    assert AGREEMENT.link in text


def test_c98_signing_records_and_turns_the_check_green() -> None:
    told = said('agreement', text='before', comment_id=77)
    red = Check(state=CheckState.FAILED, summary='…')

    commands = signs(pull(commits=BY_ALICE, said=(told,), check=red))

    assert names(commands) == ['RecordSignature', 'EditComment', 'SetCheck']
    record, edit, check = commands
    assert isinstance(record, RecordSignature)
    assert isinstance(edit, EditComment)
    assert (record.signature.id, record.signature.version) == (ALICE.id, '1.2.0')
    assert record.signature.addresses == (digest('alice@example.com'),)
    assert record.signature.where == 'acme/portal/pull/12#issuecomment-900'
    assert edit.comment_id == 77
    assert check.state is CheckState.PASSED


def test_c98_one_of_two_signs_and_the_other_is_still_named() -> None:
    told = said('agreement', text='before')

    commands = signs(pull(commits=BY_BOTH, said=(told,)))

    assert state_of(commands) == [CheckState.FAILED]
    assert '@bob' in said_of(commands)
    assert '@alice' not in said_of(commands)


def test_c98_a_signature_is_kept_once() -> None:
    commands = signs(pull(commits=BY_ALICE), signature(ALICE))

    assert templates(commands) == ['already-signed']
    assert state_of(commands) == [CheckState.PASSED]


def test_the_first_signature_makes_the_branch() -> None:
    assert CreateStore() in checked(pull(commits=BY_ALICE), exists=False)
    assert names(signs(pull(commits=BY_ALICE), exists=False))[:2] == [
        'CreateStore',
        'RecordSignature',
    ]


def test_the_check_and_the_comment_are_not_repeated() -> None:
    first = checked(pull(commits=BY_ALICE))
    text, check = said_of(first), first[-1]
    again = pull(
        commits=BY_ALICE,
        said=(said('agreement', text=text),),
        check=Check(state=check.state, summary=check.summary),
    )

    assert names(checked(again)) == ['Noop']


DEPENDABOT = Person(login='dependabot[bot]', id=49699333, bot=True)
ITS_ADDRESS = '49699333+dependabot[bot]@users.noreply.github.com'


def test_c99_a_listed_bot_is_exempt() -> None:
    by_bot = commit(Author(name='dependabot[bot]', email=ITS_ADDRESS))

    assert state_of(checked(pull(author=DEPENDABOT, commits=(by_bot,)))) == [CheckState.PASSED]


def test_c99_a_bot_that_is_not_listed_must_sign() -> None:
    stranger = Person(login='stranger[bot]', id=5, bot=True)

    assert state_of(checked(pull(author=stranger))) == [CheckState.FAILED]


def test_c99_a_person_with_bot_in_the_name_is_not_exempt() -> None:
    for name, email in [
        ('dependabot[bot]', 'mallory@example.com'),
        ('x', 'dependabot[bot]@example.com'),
        ('x', 'dependabot[bot]@users.noreply.github.com'),
    ]:
        place = pull(commits=(commit(Author(name=name, email=email)),))
        assert state_of(checked(place, signature(ALICE))) == [CheckState.FAILED], email


def test_who_writes_commits_in_the_name_of_others_must_have_signed() -> None:
    place = pull(author=Person(login='mallory', id=666), commits=BY_ALICE)

    commands = checked(place, signature(ALICE))

    assert state_of(commands) == [CheckState.FAILED]
    assert '@mallory' in said_of(commands)


def test_c101_a_noreply_address_counts_by_its_id() -> None:
    email = f'{ALICE.id}+alice-before-she-was-renamed@users.noreply.github.com'
    place = pull(commits=(commit(Author(name='A', email=email)),))

    assert state_of(checked(place, signature(ALICE))) == [CheckState.PASSED]
    assert state_of(checked(place, signature(BOB))) == [CheckState.FAILED]


def test_c101_noreply_addresses_are_not_kept() -> None:
    email = f'{ALICE.id}+alice@users.noreply.github.com'

    commands = signs(pull(commits=(commit(author(ALICE, email)),)))

    assert commands[0].signature.addresses == ()


@pytest.mark.parametrize('event', [PullChanged(number=12), PullSwept(number=12)])
def test_c102_without_the_records_the_check_is_undecided(event) -> None:
    (command,) = decide(event, Snapshot(pull=pull(commits=BY_ALICE)), CONFIG, NOW)

    assert command.state is CheckState.UNDECIDED
    assert 'tries again' in command.summary


def test_c102_without_the_records_nothing_is_signed() -> None:
    commands = decide(on_pull(SENTENCE), Snapshot(pull=pull()), CONFIG, NOW)

    assert templates(commands) == ['agreement-unreadable']
    assert 'RecordSignature' not in names(commands)


def test_c103_a_commit_without_an_account_is_named_with_its_cure() -> None:
    stray = commit(Author(name='Al', email='al@laptop.local'), sha='1234567890' * 4)

    text = said_of(checked(pull(commits=(stray,)), signature(ALICE)))

    assert 'author `Al` of commit `1234567`' in text
    assert 'git commit --amend' in text
    assert 'al@laptop.local' not in text


@pytest.mark.parametrize(
    ('signed', 'sign_anew', 'state'),
    [
        ('1.0.0', 'major', CheckState.PASSED),
        ('0.9.9', 'major', CheckState.FAILED),
        ('1.1.9', 'minor', CheckState.FAILED),
        ('1.2.9', 'minor', CheckState.PASSED),
        ('1.1.0', 'patch', CheckState.FAILED),
        ('1.10.0', 'minor', CheckState.PASSED),
    ],
)
def test_only_a_change_that_matters_asks_to_sign_anew(signed, sign_anew, state) -> None:
    agreement = Agreement(version='1.2.0', link=AGREEMENT.link, sign_anew=sign_anew)

    commands = checked(pull(), signature(ALICE, signed), config=Config(agreement=agreement))

    assert state_of(commands) == [state]
    assert ('must sign anew' in said_of(commands)) is (state is CheckState.FAILED)


def test_who_is_missing_in_many_commits_is_named_once_and_a_crowd_is_cut_short() -> None:
    crowd = [author(Person(login=f'p{n}', id=n)) for n in range(1, 60)]
    place = pull(commits=(commit(*crowd), commit(*crowd, sha='9' * 40)))

    text = said_of(checked(place, signature(ALICE)))

    assert text.count('has not signed') == 30
    assert 'and 29 more' in text


def test_without_an_agreement_nothing_is_checked() -> None:
    assert names(checked(pull(), config=Config())) == ['Noop']


def test_signing_on_an_issue_is_nothing() -> None:
    snapshot = Snapshot(issue=issue(), store=Store())

    assert names(decide(on_pull(SENTENCE, on_pull=False), snapshot, CONFIG, NOW)) == ['Noop']


class TestWhoIsExempt:
    CLAUDE = Author(name='Claude', email='noreply@anthropic.example')

    def exempt(self, *bots: str) -> Config:
        return Config(agreement=replace(AGREEMENT, bots=bots))

    @pytest.mark.parametrize('bot', ['Helper[bot]', 'helper[BOT]'])
    def test_letters_do_not_matter(self, bot: str) -> None:
        app = Person(login='helper[bot]', id=900, bot=True)
        place = pull(commits=(commit(author(ALICE), author(app)),))

        assert state_of(checked(place, signature(ALICE))) == [CheckState.FAILED]
        commands = checked(place, signature(ALICE), config=self.exempt(bot))
        assert state_of(commands) == [CheckState.PASSED]

    @pytest.mark.parametrize('bot', ['noreply@anthropic.example', 'NoReply@Anthropic.Example'])
    def test_an_author_without_an_account_is_so_by_address(self, bot: str) -> None:
        place = pull(commits=(commit(author(ALICE), self.CLAUDE),))

        assert state_of(checked(place, signature(ALICE))) == [CheckState.FAILED]
        assert state_of(checked(place, signature(ALICE), config=self.exempt(bot))) == [
            CheckState.PASSED
        ]

    @pytest.mark.parametrize('bot', ['Claude', 'anthropic.example', 'noreply'])
    def test_nobody_is_so_by_name(self, bot: str) -> None:
        place = pull(commits=(commit(author(ALICE), self.CLAUDE),))

        commands = checked(place, signature(ALICE), config=self.exempt(bot))
        assert state_of(commands) == [CheckState.FAILED]

    def test_an_address_exempts_nobody_who_opens_a_pull_request(self) -> None:
        place = pull(commits=(commit(self.CLAUDE),))

        commands = checked(place, config=self.exempt('noreply@anthropic.example'))
        assert state_of(commands) == [CheckState.FAILED]
