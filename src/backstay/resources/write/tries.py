"""Tries: repeated starts of a write, and their care, after the database refused it."""

import time
from dataclasses import dataclass, field, replace

from django.db import OperationalError

from backstay.engine.problems import busy
from backstay.resources.write.change import Batch
from backstay.resources.write.integrity import REFUSALS, problem_of
from backstay.resources.write.waiting import is_in_the_way, is_worth_a_try

#: Times that a write is begun again after others were in its way, and seconds for all of them.
_MAX_TRIES = 3
_MAX_SECONDS = 5


class Unsettled(Exception):
    """A change was refused while it was written; the others are still to be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """The way in which the next try of a write is made."""

    atomic: bool
    #: Whether refusals of the database are looked for beforehand, for errors with pointers.
    careful: bool = False
    #: Whether each row is written by itself, so that a refused one stops no other, or is named.
    one_by_one: bool = False
    left: int = _MAX_TRIES - 1
    began: float = field(default_factory=time.monotonic)

    def after(self, error: Exception, batch: Batch) -> 'Tries':
        """Return the next try. Raises the Problem, or the error, if another try is of no use."""
        match error:
            case OperationalError() if is_in_the_way(error):
                in_time = time.monotonic() - self.began < _MAX_SECONDS
                if self.left and in_time and is_worth_a_try(error):
                    return replace(self, left=self.left - 1)
                raise busy() from None
            case Unsettled():
                return replace(self, one_by_one=True)
            case _ if not isinstance(error, REFUSALS):
                raise error
            case _ if not self.careful:
                return replace(self, careful=True)
        change = batch.changes[0] if len(batch.changes) == 1 else None
        problem = problem_of(error, batch, change)
        if self.one_by_one or (self.atomic and (problem.errors or change is not None)):
            raise problem from None
        return replace(self, one_by_one=True)
