"""Prompts: requests in comments. Pure; any text that is no prompt gives None."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

#: Characters of a comment that are read; GitHub accepts 65 536.
LOOKED_AT = 2_000


class Wish(StrEnum):
    """The things that people can ask for, in the words of a prompt."""

    ASSIGN = 'assign me'
    UNASSIGN = 'unassign me'
    READY = 'ready for review'
    CHANGES = 'requires changes'
    LINK = 'link pr'
    UNLINK = 'unlink pr'
    SIGN = 'i have read the agreement and i sign it'


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A wish, and the pull request that it names."""

    wish: Wish
    #: The number of the pull request, for `link pr` and `unlink pr`.
    pull: int = 0
    #: `owner/name` or `name` of its repository; empty for that of the issue.
    repository: str = ''


_OTHER_WORDS = {'i have read the contributor agreement and i sign it': Wish.SIGN}
_AFTER_A_SLASH = {'assign': Wish.ASSIGN, 'unassign': Wish.UNASSIGN}
_PLAIN = {wish.value: wish for wish in Wish if wish not in {Wish.LINK, Wish.UNLINK}}
_INDENTED_CODE = re.compile(r' {4}|\t')
_HIDDEN = re.compile(r'<!--.*?(?:-->|\Z)', re.DOTALL)
#: Signs of text that somebody shows and does not say: code, struck text, quotations and tags; a
#: whole line in single quotes; and the target of a link, which GitHub does not show.
_SHOWN = re.compile(
    r"""[`~<>"\u00ab\u00bb\u201c-\u201f\u2039\u203a\u300c-\u300f]
      | \W*['\u2018-\u201b\u00b4].*['\u2018-\u201b\u00b4]\W*\Z
      | \s*\[[^\]]*\]:""",
    re.VERBOSE,
)
_EMOJI_NAME = re.compile(r':[a-z0-9_+-]+:', re.IGNORECASE)
_MENTION = re.compile(r'(?<![\w/@])@([A-Za-z0-9][A-Za-z0-9-]*)(?:\[bot\])?', re.IGNORECASE)
_NAME = r'[a-z0-9_.-]+'
_LINKING = re.compile(
    rf"""\W*(?P<verb>un)?link[\s_-]+(?:pr|pull[\s_-]+request)\s+(?:
        https://[a-z0-9.-]+/(?P<in_url>{_NAME}/{_NAME})/pull/(?P<of_url>\d{{1,9}})(?:[/?\#]\S*)?
      | (?P<before>{_NAME}(?:/{_NAME})?)?\#(?P<of_mark>\d{{1,9}})(?:\s+(?P<after_mark>{_NAME}))?
      | (?P<bare>\d{{1,9}})(?:\s+(?P<after>{_NAME}))?
    )\W*""",
    re.VERBOSE | re.IGNORECASE,
)


def read_prompt(text: str, me: Collection[str] | None = None) -> Prompt | None:
    """Return the prompt in the first line of a comment, or None.

    `me` holds the names by which we may be called; with None, one call of any name is accepted.

    >>> read_prompt('@bot  Assign ME, please! 🚀', me=['bot'])
    Prompt(wish=<Wish.ASSIGN: 'assign me'>, pull=0, repository='')
    >>> read_prompt('Could you assign me?') is None
    True
    """
    line = _first_line(text)
    if line is None:
        return None
    line = _without_calls(_EMOJI_NAME.sub(' ', line), me)
    if found := _LINKING.fullmatch(line):
        parts = found.groupdict()
        digits = parts['of_url'] or parts['of_mark'] or parts['bare']
        repository = parts['in_url'] or parts['before'] or parts['after_mark'] or parts['after']
        return Prompt(
            wish=Wish.UNLINK if parts['verb'] else Wish.LINK,
            pull=int(digits),
            repository=(repository or '').rstrip('.'),
        )
    words = ' '.join(re.findall(r'[^\W_]+', line.casefold()))
    words = re.sub(r'^please | please$', '', words)
    wish = _PLAIN.get(words) or _OTHER_WORDS.get(words)
    if wish is None and line.startswith('/'):
        wish = _AFTER_A_SLASH.get(words)
    return Prompt(wish=wish) if wish else None


def _first_line(text: str) -> str | None:
    """Return the first visible line; None for what is shown, not said, and for a cut-off line."""
    start = _HIDDEN.sub('', text[:LOOKED_AT]).lstrip('\r\n')
    lines = [line for line in start.splitlines() if line.strip()]
    if not lines or len(lines[0]) >= LOOKED_AT or _INDENTED_CODE.match(lines[0]):
        return None
    plain = unicodedata.normalize('NFKC', lines[0])
    line = ''.join(sign for sign in plain if unicodedata.category(sign) != 'Cf').strip()
    return None if _SHOWN.search(line) else line


def _without_calls(line: str, me: Collection[str] | None) -> str:
    names = None if me is None else {name.removesuffix('[bot]').casefold() for name in me}

    def drop(call: re.Match[str]) -> str:
        return ' ' if names is None or call.group(1).casefold() in names else call.group()

    # Several calls are a conversation between others, so without names at most one is dropped.
    return _MENTION.sub(drop, line, count=1 if names is None else 0).strip(' \t,:;-')
