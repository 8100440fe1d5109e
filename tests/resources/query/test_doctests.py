"""The examples in the docstrings of the query layer."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize('name', ['json_text', 'mask', 'values'])
def test_examples_are_true(name: str) -> None:
    failed, tried = doctest.testmod(import_module(f'backstay.resources.query.{name}'))

    assert tried > 0
    assert failed == 0
