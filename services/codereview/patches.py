"""Patches: which lines of which files a changeset of Mercurial adds or changes.

It knows neither Django nor the database, so that other processes can import it.
"""

import re
from collections.abc import Mapping

import httpx

_NAMED = re.compile(r'diff --git a/(?P<path>.+) b/(?P=path)')
_HUNK = re.compile(r'@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@')
#: Seconds that a server may take for a changeset.
_TIMEOUT = 60.0

#: Paths of the new state to the numbers of the lines that are not in the old one.
Patch = Mapping[str, frozenset[int]]


class PatchUnavailable(Exception):
    """The patch of a changeset cannot be had, for the reason that is its text.

    Unlike the errors of httpx it can be sent from one process to another.
    """


def parse(text: str) -> Patch:
    r"""The files of a unified diff, also those without a hunk: renamed, empty and binary ones.

    >>> parse('--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n one\n-two\n+2\n+3\n')
    {'x': frozenset({2, 3})}
    """
    found: dict[str, set[int]] = {}
    path, line, old, new = '', 0, 0, 0
    for text_line in text.splitlines():
        if old > 0 or new > 0:  # inside a hunk
            if text_line.startswith('+'):
                found.setdefault(path, set()).add(line)
            old -= not text_line.startswith(('+', '\\'))
            if not text_line.startswith(('-', '\\')):
                new, line = new - 1, line + 1
        elif named := _NAMED.fullmatch(text_line):
            path = named['path']
            found.setdefault(path, set())
        elif text_line.startswith(('deleted file mode', '+++ /dev/null')):
            found.pop(path, None)
        elif text_line.startswith('+++ '):
            path = _path(text_line[4:])
            found.setdefault(path, set())
        elif text_line.startswith(('rename to ', 'copy to ')):
            found.setdefault(text_line.partition(' to ')[2], set())
        elif hunk := _HUNK.match(text_line):
            before, start, after = hunk.groups()
            old, new, line = int(before or 1), int(after or 1), int(start)
    return {name: frozenset(lines) for name, lines in found.items()}


def _path(text: str) -> str:
    """The path behind `+++`, without git's prefix and Mercurial's date."""
    path = text.partition('\t')[0]
    return path.removeprefix('b/')


def is_in_patch(patch: Patch, path: str, line: int | None, nb_lines: int | None) -> bool:
    """Whether a place is among the lines of the patch; a whole file is when the patch has it."""
    if path not in patch:
        return False
    if line is None:
        return True
    return not patch[path].isdisjoint(range(line, line + (nb_lines or 1)))


def fetch(repository: str, changeset: str, agent: str) -> Patch:
    """The patch of a changeset, or of its parent where it only says what to try.

    Raises PatchUnavailable, also where the answer is no patch.
    """
    try:
        text = _fetch_text(repository, changeset, agent)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError) as error:
        raise PatchUnavailable(f'{type(error).__name__}: {error}') from None
    patch = parse(text)
    if not patch and not text.lstrip().startswith('# HG changeset patch'):
        raise PatchUnavailable('the answer is not a patch')
    return patch


def _fetch_text(repository: str, changeset: str, agent: str) -> str:
    with httpx.Client(
        headers={'User-Agent': agent}, timeout=_TIMEOUT, follow_redirects=True
    ) as client:
        told = client.get(f'{repository}/json-rev/{changeset}').raise_for_status().json()
        if str(told.get('desc', '')).startswith('try_task_config'):
            changeset = told['parents'][0]
        return client.get(f'{repository}/raw-rev/{changeset}').raise_for_status().text
