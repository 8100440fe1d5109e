"""The rules of `.dockerignore`: the last pattern that matches a file decides."""

import re


def is_sent(ignored: str, path: str) -> bool:
    """Return whether a file goes to Docker; `ignored` is the text of `.dockerignore`.

    >>> is_sent('*\\n!env/\\nenv/*.secrets\\n', 'env/.env.local.secrets')
    False
    >>> is_sent('env/*.secrets\\n!env\\n', 'env/.env.local.secrets')
    True
    """
    sent = True
    for line in ignored.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith('#'):
            continue
        is_exception = pattern.startswith('!')
        pattern = pattern.removeprefix('!').strip().removeprefix('./').strip('/')
        # A pattern that matches a folder matches everything below it.
        if pattern and re.fullmatch(f'{_regex_of(pattern)}(/.*)?', path):
            sent = is_exception
    return sent


def _regex_of(pattern: str) -> str:
    """Return a pattern of Go's filepath.Match as a regular expression, with Docker's `**`."""
    parts = re.split(r'(\*\*/|\*\*|\*|\?|\[[^\]]+\])', pattern)
    special = {'**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]'}
    return ''.join(
        special.get(part) or (part if part.startswith('[') else re.escape(part)) for part in parts
    )
