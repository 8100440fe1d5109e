"""Replies: templates of our own, and the only ways in which a value gets into one.

A value is `Safe` when it cannot be read as markdown, HTML, a mention or one of our keys. Only the
functions here make one, so mypy rejects text of a stranger in a reply.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

Safe = NewType('Safe', str)

#: Longest quotation, in characters.
QUOTED = 80
_LOGIN = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})(?:\[bot\])?')
_TEAM = re.compile(r'[A-Za-z0-9-]{1,39}(?:/[A-Za-z0-9_.-]{1,100})?')
_KEY = re.compile(r'<!-- backstay: ([a-z][\w:./-]*) -->')

TEMPLATES = {
    'closed': '{who}, this issue is closed. Nothing has been changed.',
    'already-assigned': '{who}, you are assigned to this issue already.',
    'issue-full': (
        '{who}, {limit} people work on this issue already, which is as many as it may have. '
        'Nothing has been changed.'
    ),
    'person-full': (
        '{who}, you are assigned to {limit} open issues already, which is as many as one person '
        'may have here. Finish one, or comment `unassign me` on it, then come back.'
    ),
    'lost-race': (
        '{who}, somebody else was a moment faster, and the limit of {limit} has been reached. '
        'You have been taken off again.'
    ),
    'not-assignable': '{who}, GitHub does not let us assign you. A maintainer has to do it.',
    'not-assigned': '{who}, you are not assigned to this issue. Nothing has been changed.',
    'no-board': '{who}, this issue has no project board on which it could be moved.',
    'not-in-progress': (
        '{who}, only an issue that is in progress can become ready for review. '
        'Nothing has been changed.'
    ),
    'not-in-review': (
        '{who}, only an issue that is ready for review or in review can require changes. '
        'Nothing has been changed.'
    ),
    'no-such-pull': '{who}, there is no pull request {pull}. Nothing has been changed.',
    'not-your-pull': '{who}, {pull} is not yours. Nothing has been changed.',
    'already-linked': '{who}, {pull} is linked with this issue already.',
    'not-linked': '{who}, {pull} is not linked with this issue. Nothing has been changed.',
    'linked-by-hand': (
        '{who}, the description of {pull} says in its own words that it resolves this issue. '
        'Please edit it there.'
    ),
    'linked': '{who}, {pull} is now linked with this issue.',
    'unlinked': '{who}, {pull} is no longer linked with this issue.',
    'idle-warning': (
        '{who}, there has been no work on this issue for {days} days. Are you still on it? Any '
        'comment here or work on your pull request will do; otherwise you will be taken off the '
        'issue in {left} days, so that somebody else can take it.'
    ),
    'idle-seen': (
        '{who}, you are assigned to this issue, and GitHub does not say since when. The clock '
        'starts today: after {days} days without work you will be asked whether you are still on '
        'it.'
    ),
    'idle-removed': (
        '{who}, as there has been no work since the reminder, you have been taken off this issue. '
        'You are welcome to come back: comment `assign me`.'
    ),
    'description-wanted': '{team}this issue has no description. Can somebody add one?',
    'agreement-missing': (
        'Thank you for this pull request. Before it can be merged, everybody who wrote a part of '
        'it must have signed [our contributor agreement]({link}) (version {version}).'
        '\n\nStill missing:\n{items}\n\n'
        'To sign, read the agreement and comment here:\n\n'
        '> I have read the agreement and I sign it\n\n'
        'The check turns green by itself afterwards.'
    ),
    'agreement-signed': (
        'Everybody who wrote a part of this pull request has signed '
        '[our contributor agreement]({link}) (version {version}). Thank you.'
    ),
    'agreement-unreadable': (
        '{who}, the signatures cannot be read just now, so yours has not been recorded. '
        'Please comment again later.'
    ),
    'already-signed': '{who}, you have signed version {version} of the agreement already.',
    'missing-unsigned': '{who} has not signed yet',
    'missing-old': '{who} has signed version {signed}, and must sign anew',
    'missing-more': 'and {count} more',
    'missing-unknown': (
        'the author {name} of commit {sha} has no GitHub account that we can see: '
        '[add the address of the commit to your account]'
        '(https://docs.github.com/en/account-and-profile/how-tos/email-preferences/'
        'adding-an-email-address-to-your-github-account), '
        'or correct the author with `git commit --amend --author` and push again'
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A template with its values, and texts that become its list."""

    template: str
    values: Mapping[str, Safe] = field(default_factory=dict)
    items: tuple['Text', ...] = ()

    def __hash__(self) -> int:
        """Return a hash that is equal for equal texts, so that commands can be in sets."""
        return hash((self.template, tuple(sorted(self.values.items())), self.items))


def mention(login: str) -> Safe:
    """Return `@login`, which notifies the account; quoted when it is no valid login of GitHub.

    >>> mention('ann'), mention('ann <b>')
    ('@ann', '`ann <b>`')
    """
    return Safe(f'@{login}') if _LOGIN.fullmatch(login) else quoted(login)


def mention_team(team: str) -> Safe:
    """Return `@organisation/team` or `@login`, which notifies them."""
    return Safe(f'@{team}') if _TEAM.fullmatch(team) else quoted(team)


def number(value: int) -> Safe:
    """Return the digits of a number."""
    return Safe(str(value))


def quoted(text: str) -> Safe:
    r"""Return any text as inert code on one line, without characters that reverse the writing.

    >>> quoted('a `b` @all\n# c \u202e $(id)')
    '``a `b` @all # c $(id)``'
    """
    shown = ''.join(
        ' ' if unicodedata.category(sign) in {'Cc', 'Zl', 'Zp'} else sign
        for sign in text[: QUOTED * 4]
        if unicodedata.category(sign) not in {'Cf', 'Cs', 'Co', 'Cn'}
    )
    shown = ' '.join(shown.split()) or '(nothing)'
    if len(shown) > QUOTED:
        shown = f'{shown[: QUOTED - 1]}…'
    runs = [len(run) for run in re.findall(r'`+', shown)]
    fence = '`' * (max(runs, default=0) + 1)
    gap = ' ' if shown.startswith('`') or shown.endswith('`') else ''
    return Safe(f'{fence}{gap}{shown}{gap}{fence}')


def link_to(address: str) -> Safe:
    """Return an address for a link; raises ValueError for anything but https."""
    if not re.fullmatch(r'https://[\w.~:/?#@!$&*+,;=%-]+', address):
        raise ValueError(f'{address!r} is no https address')
    return Safe(address)


def render(text: Text) -> str:
    """Return the markdown of a text."""
    items = '\n'.join(f'* {render(item)}' for item in text.items)
    return TEMPLATES[text.template].format(**{**text.values, 'items': items})


def with_key(text: Text, key: str) -> str:
    """Return the body of a comment: the text, and its key on a last line that is not shown."""
    return f'{render(text)}\n\n<!-- backstay: {key} -->'


def key_of(body: str) -> str | None:
    """Return the key of one of our comments; None when it has none.

    Only the last line is read. Quotations have no line breaks, so none can forge it.
    """
    found = _KEY.fullmatch(body.rstrip().rpartition('\n')[2])
    return found.group(1) if found else None


def text_of(body: str) -> str:
    """Return one of our comments without its key."""
    return body.rstrip().rpartition('\n')[0].rstrip()
