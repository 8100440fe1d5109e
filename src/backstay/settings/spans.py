"""Spans of time by kind of account, as one variable of the environment holds them."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

_UNITS = {'m': 'minutes', 'h': 'hours', 'd': 'days'}
#: The names of spans beside levels: everybody's, which has no name, and that of staff.
EVERYBODY, STAFF = '', 'staff'


@lru_cache(maxsize=16)
def parse_spans(text: str) -> Mapping[str, timedelta]:
    """Return the spans of `14d,staff=30m,4=30m` by name: `''` is everybody, `4` level 4 and up.

    Raises ValueError.
    """
    spans: dict[str, timedelta] = {}
    for each in text.split(','):
        found = re.fullmatch(r'(?:(staff|[1-5])=)?([1-9][0-9]{0,4})([mhd])', each.strip())
        if found is None:
            raise ValueError('give spans such as 14d,staff=30m,4=30m (minutes, hours, days)')
        name, amount, unit = found.groups(EVERYBODY)
        if name in spans:
            raise ValueError(f'{name or "the span of everybody"} is given twice')
        spans[name] = timedelta(**{_UNITS[unit]: int(amount)})
    if EVERYBODY not in spans:
        raise ValueError('begin with a span for everybody, such as 14d')
    return spans


def span_for(text: str, *, level: int, is_staff: bool) -> timedelta:
    """Return the shortest of the spans that are for an account."""
    return min(
        span
        for name, span in parse_spans(text).items()
        if name == EVERYBODY or (is_staff if name == STAFF else level >= int(name))
    )
