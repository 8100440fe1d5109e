"""The pytest plugin: whatever pytest runs is ENV=test unless the caller says otherwise.

Importing is enough for that: pytest loads plugins before pytest-django reads the settings.
"""

import os

import pytest

os.environ.setdefault('ENV', 'test')


def pytest_configure(config: pytest.Config) -> None:
    """The marker with which a test tells that it asks no database."""
    config.addinivalue_line(
        'markers', 'engine_free: asks no database; a run on both engines runs it once'
    )
