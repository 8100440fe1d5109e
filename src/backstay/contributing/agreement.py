"""The agreement: its required and existing signatures, and the check of a pull request."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime

from backstay.contributing.answering import reply, said_in
from backstay.contributing.commands import (
    Command,
    Comment,
    CreateStore,
    EditComment,
    RecordSignature,
    SetCheck,
)
from backstay.contributing.configuration import Agreement
from backstay.contributing.events import Commented, PullQueued
from backstay.contributing.replies import Safe, Text, link_to, mention, number, quoted, render
from backstay.contributing.snapshot import (
    Check,
    CheckState,
    Pull,
    Signature,
    Snapshot,
    Store,
)

#: The key of the one comment that lists missing signatures.
KEY = 'agreement'
#: The name of the check, by which the rules of a branch can require it.
CHECK = 'Contributor agreement'
#: Missing signatures that are listed at most; a comment holds 65 536 characters.
LISTED = 30
UNREADABLE = 'The signatures cannot be read just now. The next run tries again.'
SIGNED = 'Everybody has signed.'
_NOREPLY = re.compile(r'(?:(\d{1,18})\+)?([^@+]+)@users\.noreply\.[\w.-]+', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Somebody who must have signed."""

    #: The account; None when GitHub ties the commit to none.
    id: int | None
    login: str | None
    address: str
    name: str
    sha: str


def check(pull: Pull, snapshot: Snapshot, agreement: Agreement) -> list[Command]:
    """Set the check of a pull request, and comment once who must still sign, and how."""
    store = snapshot.store
    if store is None:
        return _set_check(pull, CheckState.UNDECIDED, UNREADABLE)
    made: list[Command] = [] if store.exists else [CreateStore()]
    missing = tuple(missing_of(pull, store, agreement))
    if not missing:
        told = [said for said in said_in(snapshot) if said.key == KEY]
        thanks = _say(pull, told_text(agreement, ()), snapshot) if told else []
        return [*made, *thanks, *_set_check(pull, CheckState.PASSED, SIGNED)]
    summary = '\n'.join(f'* {render(item)}' for item in missing)
    said = _say(pull, told_text(agreement, missing), snapshot)
    return [*made, *said, *_set_check(pull, CheckState.FAILED, summary)]


def check_queued(
    event: PullQueued, pull: Pull, snapshot: Snapshot, agreement: Agreement
) -> list[Command]:
    """Set the check on the commit that a merge queue made of a pull request; say nothing."""
    state, summary = CheckState.PASSED, SIGNED
    if snapshot.store is None:
        state, summary = CheckState.UNDECIDED, UNREADABLE
    elif missing := missing_of(pull, snapshot.store, agreement):
        state, summary = CheckState.FAILED, '\n'.join(f'* {render(item)}' for item in missing)
    return [SetCheck(sha=event.sha, state=state, summary=summary)]


def sign(
    event: Commented, pull: Pull, snapshot: Snapshot, agreement: Agreement, now: datetime
) -> list[Command]:
    """Record the signature of the author of a comment, then check again."""
    store = snapshot.store
    if store is None:
        unread = _set_check(pull, CheckState.UNDECIDED, UNREADABLE)
        return [reply(event, 'agreement-unreadable'), *unread]
    here = f'{pull.repository}/pull/{pull.number}#issuecomment-{event.comment_id}'
    signed = [each for each in store.signatures if each.id == event.author.id]
    if any(each.where == here for each in signed):
        return check(pull, snapshot, agreement)  # written by a run for this very comment
    if any(each.version == agreement.version for each in signed):
        answer = reply(event, 'already-signed', version=_version(agreement.version))
        return [answer, *check(pull, snapshot, agreement)]
    signature = Signature(
        id=event.author.id,
        login=event.author.login,
        version=agreement.version,
        addresses=_addresses_of(event.author.id, pull),
        at=now,
        where=here,
    )
    after = Store(signatures=(*store.signatures, signature), exists=True)
    made: list[Command] = [] if store.exists else [CreateStore()]
    return [
        *made,
        RecordSignature(signature=signature),
        *check(pull, replace(snapshot, store=after), agreement),
    ]


def missing_of(pull: Pull, store: Store, agreement: Agreement) -> list[Text]:
    """Return the missing signatures with their reasons, each once, in the order of the commits."""
    found = dict[Text, None]()
    exempt = {each.casefold() for each in agreement.bots}
    for signer in signers_of(pull):
        # By login or address, not by name: no login of a person can hold a bracket, so nobody can
        # pass as an app. An address can be claimed by anybody, but whoever opened the pull request
        # is asked all the same.
        is_bot = {(signer.login or '').casefold(), signer.address.casefold()} & exempt
        if not is_bot and (reason := _lacks(signer, store, agreement)):
            found[reason] = None
    missing = list(found)
    if len(missing) > LISTED:
        more = Text(template='missing-more', values={'count': number(len(missing) - LISTED)})
        missing = [*missing[:LISTED], more]
    return missing


def signers_of(pull: Pull) -> list[Signer]:
    """Return the author of the pull request, and each author and co-author of its commits.

    GitHub vouches for the first alone: git accepts any name as an author, so a commit in the name
    of somebody who signed does not replace the signature of the person who submits it.
    """
    found = [Signer(id=pull.author.id, login=pull.author.login, address='', name='', sha='')]
    for commit in pull.commits:
        for author in commit.authors:
            noreply = _NOREPLY.fullmatch(author.email)
            tied = int(noreply.group(1)) if noreply and noreply.group(1) else None
            signer = Signer(
                id=author.id or tied,
                login=author.login or (noreply.group(2) if noreply and tied else None),
                address=author.email,
                name=author.name,
                sha=commit.sha,
            )
            found.append(signer)
    return found


def digest(address: str) -> str:
    """Return the SHA-256 of an address in lower case, since the store is public."""
    return hashlib.sha256(address.strip().casefold().encode()).hexdigest()


def still_counts(signed: str, wanted: str, sign_anew: str) -> bool:
    """Whether a signature under one version is still valid for another.

    >>> still_counts('1.0.2', '1.3.0', 'major'), still_counts('1.9.0', '2.0.0', 'major')
    (True, False)
    """
    parts = {'major': 1, 'minor': 2, 'patch': 3}[sign_anew]
    return _numbers(signed)[:parts] >= _numbers(wanted)[:parts]


def told_text(agreement: Agreement, missing: tuple[Text, ...]) -> Text:
    """Return the text of our comment."""
    values = {'link': link_to(agreement.link), 'version': _version(agreement.version)}
    template = 'agreement-missing' if missing else 'agreement-signed'
    return Text(template=template, values=values, items=missing)


def _lacks(signer: Signer, store: Store, agreement: Agreement) -> Text | None:
    """Return the reason why a signature is missing, or None."""
    own = digest(signer.address) if signer.address else None
    versions = [
        each.version
        for each in store.signatures
        if (own in each.addresses if signer.id is None else each.id == signer.id)
    ]
    anew = agreement.sign_anew
    if any(still_counts(version, agreement.version, anew) for version in versions):
        return None
    if versions:
        newest = _version(max(versions, key=_numbers))
        return Text(template='missing-old', values={'who': _called(signer), 'signed': newest})
    if signer.id is not None:
        return Text(template='missing-unsigned', values={'who': _called(signer)})
    values = {'name': quoted(signer.name), 'sha': quoted(signer.sha[:7])}
    return Text(template='missing-unknown', values=values)


def _called(signer: Signer) -> Safe:
    return mention(signer.login) if signer.login else quoted(signer.name)


def _addresses_of(account: int, pull: Pull) -> tuple[str, ...]:
    """Return digests of the addresses that GitHub ties to the account, all of them verified."""
    return tuple(
        sorted(
            {
                digest(author.email)
                for commit in pull.commits
                for author in commit.authors
                if author.id == account and not _NOREPLY.fullmatch(author.email)
            }
        )
    )


def _set_check(pull: Pull, state: CheckState, summary: str) -> list[Command]:
    if pull.check == Check(state=state, summary=summary):
        return []
    return [SetCheck(sha=pull.sha, state=state, summary=summary)]


def _say(pull: Pull, text: Text, snapshot: Snapshot) -> list[Command]:
    """Write our one comment with this text, or edit it when it differs."""
    told = next((said for said in said_in(snapshot) if said.key == KEY), None)
    if told is None:
        return [Comment(number=pull.number, key=KEY, text=text)]
    if told.text == render(text):
        return []
    return [EditComment(comment_id=told.comment_id, key=KEY, text=text)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split('.'))


def _version(text: str) -> Safe:
    return Safe('.'.join(str(part) for part in _numbers(text)))
