"""Settings of the resources: those of the environment, or its defaults in a site without one."""

from typing import Any

from django.conf import settings

from backstay.settings.environment import Environment


def _option(name: str) -> Any:
    try:
        return getattr(settings.BACKSTAY, name)
    except AttributeError:
        return Environment.model_fields[name].default


def mask_header() -> str:
    """Name of the header that carries a mask."""
    header: str = _option('mask_header')
    return header


def statement_timeout() -> float:
    """Seconds that the statement of a list may take."""
    seconds: float = _option('statement_timeout')
    return seconds


def export_timeout() -> float:
    """Return the seconds that an export of all rows may take, from its start to its last row."""
    seconds: float = _option('export_timeout')
    return seconds
