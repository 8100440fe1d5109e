"""Fixtures that are shared with the tests of resources."""

from tests.resources.conftest import declare

__all__ = ['declare']
