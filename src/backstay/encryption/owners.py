"""Owners of data keys."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """What a data key belongs to: the label of a model, and the key of a row."""

    label: str
    key: str
