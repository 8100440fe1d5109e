"""Preconditions: the entity tags of If-Match and If-None-Match (RFC 9110 section 13.1).

A tag of ours is `<version>-<hash of what is shown>`, or the hash alone where the resource has no
version. A proxy that compresses answers makes it weak (`W/"3-…"`), or writes something behind it
(`"3-…-gzip"`). It still names the version that was read, so what is weak counts like any other.
"""

import re
from hashlib import sha256

from backstay.errors import Problem

#: One entity tag of RFC 9110 section 8.8.3; ours have no bytes beyond ASCII.
_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')
#: A list of them, in which RFC 9110 section 5.6.1 lets elements be empty.
_TAGS = re.compile(rf'[ \t,]*{_TAG.pattern}(?:[ \t]*,[ \t,]*{_TAG.pattern})*[ \t,]*')


def read_tags(header: str, text: str | None) -> tuple[str, ...]:
    """Read the tags of a header, without quotes; `*` stands for whatever there is.

    Raises Problem 400 `header-invalid` for a header that is there and names none.

    >>> read_tags('If-Match', 'W/"3-ab", "4"')
    ('3-ab', '4')
    """
    if text is None:
        return ()
    if text.strip() == '*':
        return ('*',)
    if not _TAGS.fullmatch(text):
        detail = f'{header} takes entity tags in quotes, or an asterisk.'
        raise Problem(detail, code='header-invalid')
    return tuple(_TAG.findall(text))


def etag_of(text: bytes, version: int | None = None) -> str:
    """Return the tag of an answer, without quotes: its version, if any, and what is shown of it.

    A write is meant for a version; a cached answer is only good for all that it shows, which may
    change where the version does not, such as its children.
    """
    digest = sha256(text).hexdigest()[:24]
    return digest if version is None else f'{version}-{digest}'
