"""Decisions on the next deployment of an environment, from the history of deployments.

Production gets only images that have run in staging, and the previous version is one step away. The
history is GitHub's own list of deployments; approvals are rules of GitHub's environments.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backstay.pipelines.errors import RefusedError

#: In the order in which a version passes through them.
ENVIRONMENTS = ('staging', 'production')


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One version that was deployed, or is to be deployed, to one environment."""

    environment: str
    version: str
    #: The image with its digest, so that a rollback gets the same bytes.
    image: str
    #: Whether it got there.
    succeeded: bool


def refuse_unless_ready(history: Iterable[Deployment], environment: str, image: str) -> None:
    """Raise RefusedError unless exactly this image may be deployed to the environment."""
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
    """Return the deployment to roll back to: the last one of another image than the current one.

    `history` begins with the newest. Raises RefusedError when there is none.
    """
    if environment not in ENVIRONMENTS:
        known = ', '.join(ENVIRONMENTS)
        raise RefusedError(f'{environment!r} is no environment; there are: {known}')
    there = [each for each in history if each.environment == environment and each.succeeded]
    others = [each for each in there if each.image != there[0].image]
    if not others:
        raise RefusedError(f'{environment} has had no other version to go back to')
    return others[0]
