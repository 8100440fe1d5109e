"""The file of signatures: one JSON object per line, to which lines are only added.

It is alone on a branch of its own, so that writing it needs no pull request and starts no
build. A line that cannot be read makes the whole file unreadable: nothing is guessed.
"""

import json
from datetime import UTC, datetime

from backstay.contributing.snapshot import Signature

PATH = 'signatures.jsonl'


class SignaturesUnreadable(ValueError):
    """The file of signatures has a line that is no signature."""


def read_signatures(text: str) -> tuple[Signature, ...]:
    """Return the signatures of a file; raises SignaturesUnreadable.

    >>> read_signatures('')
    ()
    """
    try:
        return tuple(_signature(line) for line in text.splitlines() if line.strip())
    except (KeyError, TypeError, ValueError):
        raise SignaturesUnreadable('the file of signatures has a line that is none') from None


def write_signature(signature: Signature) -> str:
    """Return the line of a signature."""
    at = signature.at.astimezone(UTC).isoformat(timespec='seconds')
    record = {
        'id': signature.id,
        'login': signature.login,
        'version': signature.version,
        'addresses': list(signature.addresses),
        'at': at,
        'where': signature.where,
    }
    return json.dumps(record) + '\n'


def _signature(line: str) -> Signature:
    record = json.loads(line)
    version = str(record['version'])
    if [part.isdecimal() for part in version.split('.')] != [True] * 3:
        raise ValueError(version)
    if type(record['id']) is not int:
        raise ValueError(record['id'])
    return Signature(
        id=record['id'],
        login=str(record['login']),
        version=version,
        addresses=tuple(str(address) for address in record['addresses']),
        at=datetime.fromisoformat(record['at']),
        where=str(record['where']),
    )
