"""Links to files, changesets, bugs, jobs and tasks; an empty text where no link is safe.

Addresses of repositories are what a bot says; those of the other sites are settings.
"""

import re
from typing import NamedTuple
from urllib.parse import quote, urlencode

from services.codereview.options import option


class Source(NamedTuple):
    """Where the text of files is: a repository, and a changeset of it."""

    repository: str
    changeset: str


def web(url: str | None) -> str:
    """The address, if a browser may follow it; a bot may name repositories of any scheme.

    >>> web('https://hg.mozilla.org/try'), web('javascript://hg.mozilla.org/%0Aalert(1)')
    ('https://hg.mozilla.org/try', '')
    """
    return url if url and re.match(r'https?://[^\s/]', url) else ''


def is_on_github(repository: str) -> bool:
    """Return whether addresses are GitHub's; those of other hosts are Mercurial's."""
    return re.match(r'https?://github\.com/', repository) is not None


def of_file(source: Source | None, path: str, line: int | None = None) -> str:
    """Where the text of a file is shown.

    >>> of_file(Source('https://hg.mozilla.org/try', 'abc'), 'a b.py', 3)
    'https://hg.mozilla.org/try/file/abc/a%20b.py#l3'
    """
    if source is None or not source.changeset or not web(source.repository):
        return ''
    file, changeset = quote(path.lstrip('/')), quote(source.changeset, safe='')
    if is_on_github(source.repository):
        url = f'{source.repository.removesuffix(".git")}/blob/{changeset}/{file}'
        return url if line is None else f'{url}#L{line}'
    url = f'{source.repository}/file/{changeset}/{file}'
    return url if line is None else f'{url}#l{line}'


def of_changeset(repository: str, changeset: str | None) -> str:
    """Where a changeset is shown."""
    if not changeset or not web(repository):
        return ''
    word = 'commit' if is_on_github(repository) else 'rev'
    return f'{repository.removesuffix(".git")}/{word}/{quote(changeset, safe="")}'


def of_jobs(repository: str, changeset: str | None) -> str:
    """Where Treeherder shows the jobs of a push; it has those of Mercurial.

    >>> of_jobs('https://github.com/mozilla/code-review', 'abc')
    ''
    """
    base = web(option('CODEREVIEW_TREEHERDER_URL'))
    if not (base and changeset and web(repository)) or is_on_github(repository):
        return ''
    name = repository.rstrip('/').rpartition('/')[2]
    return f'{base.rstrip("/")}/jobs?{urlencode({"repo": name, "revision": changeset})}'


def of_bug(number: int | None) -> str:
    """Where Bugzilla shows a bug."""
    base = web(option('CODEREVIEW_BUGZILLA_URL'))
    return f'{base.rstrip("/")}/show_bug.cgi?id={number}' if base and number else ''


def of_task(task: str) -> str:
    """Where Taskcluster shows a task; the bot names those that it has no id of otherwise."""
    base = web(option('TASKCLUSTER_ROOT_URL'))
    is_id = re.fullmatch(r'[A-Za-z0-9_-]{22}', task) is not None
    return f'{base.rstrip("/")}/tasks/{task}' if base and is_id else ''
