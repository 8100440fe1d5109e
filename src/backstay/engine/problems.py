"""What clients are told of a database that is busy, away, or at work for too long."""

from backstay.engine import Trouble, trouble_of
from backstay.errors import Problem


def problem_of(error: Exception) -> Problem | None:
    """Return 503 `busy` or `unavailable`, or 422 of what takes too long; None of all else."""
    match trouble_of(error):
        case Trouble.DEADLOCK | Trouble.LOCKED:
            return busy()
        case Trouble.TIMEOUT:
            return Problem('The request takes too long; ask for less.', code='query-too-slow')
        case Trouble.LOST | Trouble.READ_ONLY | Trouble.FULL:
            return Problem(
                'The database cannot be reached, or takes no writes; try again.',
                status=503,
                code='unavailable',
                headers={'Retry-After': '2'},
            )
    return None


def busy() -> Problem:
    """Return 503 `busy`: only others who write were in the way."""
    return Problem(
        'Others are writing the same rows; try again.',
        status=503,
        code='busy',
        headers={'Retry-After': '1'},
    )
