"""The machine-readable cases for masks, filters, orders and pages."""

import json
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parent


def document(name: str) -> dict[str, Any]:
    """One file of cases, such as `mask_http_cases`."""
    read: dict[str, Any] = json.loads((_FOLDER / f'{name}.json').read_text())
    return read


def cases(name: str, *prefixes: str) -> list[Any]:
    """Its cases as pytest parameters; only those whose id begins so, if prefixes are given."""
    return [
        pytest.param(case, id=case['id'])
        for case in document(name)['cases']
        if case['id'].startswith(prefixes or ('',))
    ]
