"""What runs where, and what may run there next: decisions, from a history of deployments.

Production only gets a version that staging has had, and the version before is one step away. The
history is GitHub's own list of deployments; that somebody approves is a rule of its environments.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backstay.pipelines.errors import RefusedError

#: In the order in which a version passes them.
ENVIRONMENTS = ('staging', 'production')


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One version that was brought, or was to be brought, to one environment."""

    environment: str
    version: str
    #: The image with its digest, so that the same bytes come back.
    image: str
    #: Whether it got there.
    succeeded: bool


def refuse_unless_ready(history: Iterable[Deployment], environment: str, image: str) -> None:
    """Raises RefusedError unless this very image may come to the environment."""
    if environment not in ENVIRONMENTS:
        known = ', '.join(ENVIRONMENTS)
        raise RefusedError(f'{environment!r} is no environment; there are: {known}')
    if '@sha256:' not in image:
        raise RefusedError(f'{image!r} names no digest: a tag may be another image tomorrow')
    before = ENVIRONMENTS[: ENVIRONMENTS.index(environment)]
    for each in before:
        if not any(
            past.environment == each and past.image == image and past.succeeded for past in history
        ):
            raise RefusedError(f'{image} has not passed {each}; deploy it there first')


def previous(history: Sequence[Deployment], environment: str) -> Deployment:
    """What to bring back: the version that ran there before the one that runs there now.

    `history` begins with the newest. Raises RefusedError where there was no other.
    """
    if environment not in ENVIRONMENTS:
        known = ', '.join(ENVIRONMENTS)
        raise RefusedError(f'{environment!r} is no environment; there are: {known}')
    there = [each for each in history if each.environment == environment and each.succeeded]
    others = [each for each in there if each.image != there[0].image]
    if not others:
        raise RefusedError(f'{environment} has had no other version to go back to')
    return others[0]
