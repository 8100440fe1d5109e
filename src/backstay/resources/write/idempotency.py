"""Idempotency keys: a request that is sent twice has its effect once.

A request first claims its key, in a transaction of its own, so that a repeat meanwhile sees it
under way. Its answer is stored in the transaction of its rows. So whatever happens between the
commit and the client, a repeat finds the answer; and where the server died before the commit, the
repeat takes over when the lease is over, and nothing was written.
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from backstay.caller import Caller
from backstay.errors import Problem
from backstay.resources.models import IdempotencyKey
from backstay.resources.query.asked import Asked
from backstay.resources.write.answering import Answer
from backstay.resources.write.waiting import is_in_the_way, or_busy

LEASE = timedelta(seconds=60)
KEPT = timedelta(hours=24)
#: The form of a key.
KEY = re.compile(r'[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?')
#: Refusals that a repeat may avoid: they are not stored.
_PASSING = frozenset(
    {
        'validation-failed',
        'unknown-field',
        'field-not-writable',
        'reference-not-found',
        'bulk-refused',
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request's hold on its key; without a key, on nothing.

    A `with` around the write ends it when the write is refused or fails.
    """

    id: str = ''
    attempt: str = ''
    using: str = 'default'
    #: The answer of an earlier request with the same key.
    answer: Answer | None = None

    def store(self, answer: Answer) -> None:
        """Store the answer, in the transaction of the rows.

        For one object only its lookup value is kept: a repeat shows the object as it is then.
        Raises Problem 409 if another request took over, so that this one is rolled back.
        """
        if not self.id:
            return
        rows = IdempotencyKey.objects.using(self.using).filter(id=self.id, attempt=self.attempt)
        text = None if answer.lookup else answer.text
        if not rows.update(status=answer.status, text=text, lookup=answer.lookup):
            raise _in_progress()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        """End a request that wrote nothing; store its refusal if a repeat would get it too."""
        if error is None or not self.id:
            return
        problem = error if isinstance(error, Problem) else None
        # A write that failed after its commit has its answer stored, which must stay.
        rows = IdempotencyKey.objects.using(self.using).filter(
            id=self.id, attempt=self.attempt, status=None
        )
        try:
            if problem is None or not is_lasting(problem):
                is_ours = bool(rows.delete()[0])
            else:
                text = json.dumps(problem.body('')).encode()
                is_ours = bool(rows.update(status=problem.answer_status, text=text))
        except OperationalError as failure:
            if not is_in_the_way(failure):
                raise
            return  # the lease ends by itself
        if problem is not None and not is_ours:
            raise _in_progress() from None


def is_lasting(problem: Problem) -> bool:
    """Whether a repeat would be refused in the same way, as by a business rule."""
    status = problem.answer_status
    if problem.answer_code in ('idempotency-in-progress', 'busy'):
        return False
    return status in (404, 409, 410, 412) or (status == 422 and problem.answer_code not in _PASSING)


def claim_key(asked: Asked, *, needed: bool) -> Claim:
    """Claim the key of a request; the claim of a repeat has the answer of the first.

    Callers that cannot have keys need none. Raises Problem 400 `idempotency-key-missing`,
    `header-invalid` or `idempotency-key-not-yours`, 409 `idempotency-in-progress`, 422
    `idempotency-key-reused`, or a stored refusal.
    """
    if asked.key is None:
        if needed and _is_told_apart(asked.caller):
            detail = 'This needs an Idempotency-Key, so that it can be sent again safely.'
            raise Problem(detail, code='idempotency-key-missing')
        return Claim(using=asked.using)
    if not KEY.fullmatch(asked.key):
        detail = 'Idempotency-Key takes 1 to 255 printable ASCII characters.'
        raise Problem(detail, code='header-invalid')
    caller = asked.caller
    if not _is_told_apart(caller):
        detail = 'Nothing tells one guest from another here: send no Idempotency-Key, or sign in.'
        raise Problem(detail, code='idempotency-key-not-yours')
    owner = caller.key if caller.kind != 'guest' else f'guest:{canonical(dict(caller.facts))}'
    claim = Claim(
        id=_hash(owner, asked.address, asked.key),
        attempt=token_hex(16),
        using=asked.using,
    )
    meant = (asked.body, asked.if_match, asked.if_none_match, sorted(asked.whole_lists))
    with or_busy():
        found = _claim(claim, _hash(canonical(meant)))
    return claim if found is None else replace(claim, answer=_stored(found))


def _is_told_apart(caller: Caller) -> bool:
    """Whether a caller differs from all others, so that a key belongs to them alone."""
    return caller.kind != 'guest' or bool(caller.facts)


def canonical(value: Any) -> str:
    """Return one text for each JSON value, however its members are ordered.

    >>> canonical({'b': 1, 'a': [Decimal('1.5'), '1.5', True]})
    "{'a': [Decimal('1.5'), '1.5', True], 'b': 1}"
    """
    match value:
        case dict():
            members = (f'{name!r}: {canonical(value[name])}' for name in sorted(value))
            return f'{{{", ".join(members)}}}'
        case list() | tuple():
            return f'[{", ".join(map(canonical, value))}]'
    return repr(value)


def _claim(claim: Claim, body: str) -> IdempotencyKey | None:
    """Claim the key; return the record of a finished request if there is one."""
    now = timezone.now()
    rows = IdempotencyKey.objects.using(claim.using)
    rows.filter(id=claim.id, expires_at__lte=now).delete()
    record = IdempotencyKey(
        id=claim.id,
        body=body,
        attempt=claim.attempt,
        leased_until=now + LEASE,
        expires_at=now + KEPT,
    )
    try:
        with transaction.atomic(using=claim.using):
            record.save(force_insert=True, using=claim.using)
        return None
    except IntegrityError:
        found = rows.filter(id=claim.id).first()
    if found is None:  # released since
        raise _in_progress()
    if found.body != body:
        detail = 'The Idempotency-Key was used for another body.'
        raise Problem(detail, status=422, code='idempotency-key-reused')
    if found.status is not None:
        return found
    taken = rows.filter(
        id=claim.id, attempt=found.attempt, status=None, leased_until__lte=now
    ).update(attempt=claim.attempt, leased_until=now + LEASE)
    if not taken:
        raise _in_progress()
    return None


def _stored(found: IdempotencyKey) -> Answer:
    """Return the answer that is stored. Raises the Problem if a refusal is stored."""
    text = None if found.text is None else bytes(found.text)
    if found.status is None or found.status < 400:
        return Answer(status=found.status or 200, text=text, lookup=found.lookup)
    body = json.loads(text or b'{}')
    problem = Problem(
        str(body.get('detail', '')),
        status=found.status,
        code=str(body.get('code', '')),
        headers={'Idempotency-Replayed': 'true'},
    )
    known = ('type', 'title', 'status', 'detail', 'code')
    problem.members = {name: value for name, value in body.items() if name not in known}
    raise problem


def _in_progress() -> Problem:
    return Problem(
        'A request with this Idempotency-Key is under way.',
        status=409,
        code='idempotency-in-progress',
        headers={'Retry-After': '1'},
    )


def _hash(*parts: str) -> str:
    return sha256('\x00'.join(parts).encode()).hexdigest()
