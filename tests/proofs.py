"""How long the long proofs are: a sample in every run, the whole under `make prove`.

`PROVE` is the share of the whole that is wanted: `PROVE=1` is all of it, `PROVE=0.1` a tenth.
Without it a proof runs its sample. A proof records what it checked, which `make prove` prints.
"""

import os
from collections.abc import Iterable
from typing import TypeVar

import pytest
from django.db import connection

_Case = TypeVar('_Case')

SHARE = float(os.environ.get('PROVE', '0'))


def size(sample: int, whole: int) -> int:
    """Return the length of a proof: its sample, or the wanted share of the whole if larger."""
    return max(sample, round(whole * SHARE))


def half_of(cases: Iterable[_Case]) -> list[_Case]:
    """Return the cases that this engine tries: one half, the other engine the other; or all."""
    if SHARE:
        return [*cases]
    return [*cases][0 if connection.vendor == 'sqlite' else 1 :: 2]


def record_proof(request: pytest.FixtureRequest, checked: str, found: str = 'nothing') -> None:
    """Keep what a proof checked and found, for the table of `make prove`."""
    properties = request.node.user_properties
    properties[:] = [each for each in properties if each[0] not in ('checked', 'found')]
    properties += [('checked', checked), ('found', found)]
