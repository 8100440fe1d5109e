"""The store of signatures, read from its branch, in the same call as the rest if possible.

A store that cannot be read as a whole is None, never a part, so no check passes or fails by it.
"""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backstay.contributing.configuration import Agreement, Config
from backstay.contributing.github import queries, signatures
from backstay.contributing.github.client import CallFailed, GitHub
from backstay.contributing.snapshot import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFile:
    """The file of signatures as it was read."""

    #: Its object id; empty when there is none.
    oid: str = ''
    text: str = ''


async def read_store(
    github: GitHub,
    config: Config,
    repository: str,
    guess: tuple[Agreement, Mapping[str, Any]] | None = None,
) -> tuple[Store | None, StoreFile]:
    """Return the signatures with their file; None when they cannot be read.

    `guess` is an answer that already holds the store of another agreement: when both keep it in
    the same place, no call is made.
    """
    if config.agreement is None:
        return None, StoreFile()
    wanted = store_variables(config.agreement, repository)
    try:
        if guess and store_variables(guess[0], repository) == wanted:
            data: Mapping[str, Any] = guess[1]
        else:
            data = await github.query(queries.STORE, wanted)
        return await _store(github, data, config.agreement.repository or repository)
    except (CallFailed, signatures.SignaturesUnreadable):
        return None, StoreFile()


async def _store(
    github: GitHub, data: Mapping[str, Any], repository: str
) -> tuple[Store | None, StoreFile]:
    if data['store'] is None:
        return None, StoreFile()
    if data['store']['ref'] is None:
        return Store(exists=False), StoreFile()
    blob = data['store']['signatures']
    if not blob:
        return Store(), StoreFile()
    text = blob['text']
    if text is None or blob['isTruncated']:
        # The file is too long for GraphQL.
        owner, _, name = repository.partition('/')
        path = '/repos/{owner}/{name}/git/blobs/{oid}'
        whole = await github.call('GET', path, owner=owner, name=name, oid=blob['oid'])
        text = b64decode(whole['content']).decode()
    return Store(signatures=signatures.read_signatures(text)), StoreFile(oid=blob['oid'], text=text)


def store_variables(where: Agreement, repository: str) -> dict[str, str]:
    """Return the place of an agreement's signatures as variables of a GraphQL query."""
    owner, _, name = (where.repository or repository).partition('/')
    return {
        'storeOwner': owner,
        'storeName': name,
        'storeBranch': f'refs/heads/{where.branch}',
        'storeFile': f'{where.branch}:{signatures.PATH}',
    }
