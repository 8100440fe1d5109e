"""Idempotency keys: a request that is sent twice has its effect once (commerce contract 3.1.6).

A request first claims its key, in a transaction of its own, so that a repeat meanwhile sees it
under way. Its answer is stored in the transaction of its rows. So whatever happens between the
commit and the client, a repeat finds the answer; and where the server died before the commit, the
repeat takes over when the lease is over, and nothing was written.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from backstay.caller import Caller
from backstay.errors import Problem
from backstay.resources.models import IdempotencyKey
from backstay.resources.write.waiting import is_in_the_way, or_busy

LEASE = timedelta(seconds=60)
KEPT = timedelta(hours=24)
#: What a key looks like.
KEY = re.compile(r'[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?')
#: Refusals that a repeat may mend: nothing of them is stored.
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
class Answer:
    """What a write answers."""

    status: int
    text: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The lookup value of the one object in it.
    lookup: str = ''
    #: Whether it was stored by an earlier request, and rights have changed since.
    is_replayed: bool = False
    is_outdated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request's hold on its key; without a key, of nothing."""

    id: str = ''
    attempt: str = ''
    rights: str = ''
    using: str = 'default'

    def store(self, answer: Answer) -> None:
        """Store the answer, in the transaction of the rows.

        Raises Problem 409 where another request took over: this one is rolled back.
        """
        if not self.id:
            return
        rows = IdempotencyKey.objects.using(self.using).filter(id=self.id, attempt=self.attempt)
        stored = rows.update(
            status=answer.status,
            text=answer.text,
            headers=dict(answer.headers),
            rights=self.rights,
            lookup=answer.lookup,
        )
        if not stored:
            raise _in_progress()

    def release(self, problem: Problem | None) -> bool:
        """End a request that wrote nothing: its problem is stored where a repeat would meet it.

        False where another request took over.
        """
        if not self.id:
            return True
        try:
            return self._release(problem)
        except OperationalError as error:
            if not is_in_the_way(error):
                raise
            return True  # the lease ends by itself

    def _release(self, problem: Problem | None) -> bool:
        # What failed after the commit has its answer stored, which must stay.
        rows = IdempotencyKey.objects.using(self.using).filter(
            id=self.id, attempt=self.attempt, status=None
        )
        if problem is None or not is_lasting(problem):
            return bool(rows.delete()[0])
        text = json.dumps(problem.body('')).encode()
        return bool(rows.update(status=problem.answer_status, text=text, rights=self.rights))


def is_lasting(problem: Problem) -> bool:
    """Whether a repeat would be refused alike: a business rule said no."""
    status = problem.answer_status
    if problem.answer_code in ('idempotency-in-progress', 'busy'):
        return False
    return status in (404, 409, 410, 412) or (status == 422 and problem.answer_code not in _PASSING)


def once(
    key: str | None,
    *,
    caller: Caller,
    method: str,
    path: str,
    body: Any,
    using: str,
    write: Callable[[Claim], Answer],
) -> Answer:
    """The answer of `write`, or that of an earlier request with the same key.

    `write` calls `Claim.store` in its transaction. Raises Problem 400 `header-invalid`, 409
    `idempotency-in-progress`, 422 `idempotency-key-reused`, or a stored refusal.
    """
    if key is None:
        return write(Claim())
    if not KEY.fullmatch(key):
        detail = 'Idempotency-Key takes 1 to 255 printable ASCII characters.'
        raise Problem(detail, status=400, code='header-invalid')
    claim = Claim(
        id=_hash(caller.key, method, path, key),
        attempt=token_hex(16),
        rights=_hash(repr(caller.standing()), repr(caller.scopes), repr(dict(caller.facts))),
        using=using,
    )
    with or_busy():
        found = _claim(claim, _hash(json.dumps(body, sort_keys=True, default=str)))
    if found is not None:
        return _replayed(found, claim)
    try:
        return write(claim)
    except Problem as problem:
        if not claim.release(problem):
            raise _in_progress() from None
        raise
    except BaseException:
        claim.release(None)
        raise


def _claim(claim: Claim, body: str) -> IdempotencyKey | None:
    """Claim the key; the record of a finished request where there is one."""
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


def _replayed(found: IdempotencyKey, claim: Claim) -> Answer:
    text = None if found.text is None else bytes(found.text)
    if found.status is not None and found.status >= 400:
        raise _stored_problem(found.status, json.loads(text or b'{}'))
    return Answer(
        status=found.status or 200,
        text=text,
        headers={**found.headers, 'Idempotency-Replayed': 'true'},
        lookup=found.lookup,
        is_replayed=True,
        is_outdated=found.rights != claim.rights,
    )


def _stored_problem(status: int, body: Mapping[str, Any]) -> Problem:
    known = ('type', 'title', 'status', 'detail', 'code')
    problem = Problem(
        str(body.get('detail', '')),
        status=status,
        code=str(body.get('code', '')),
        headers={'Idempotency-Replayed': 'true'},
    )
    problem.members = {name: value for name, value in body.items() if name not in known}
    return problem


def _in_progress() -> Problem:
    return Problem(
        'A request with this Idempotency-Key is under way.',
        status=409,
        code='idempotency-in-progress',
        headers={'Retry-After': '1'},
    )


def _hash(*parts: str) -> str:
    return sha256('\x00'.join(parts).encode()).hexdigest()
