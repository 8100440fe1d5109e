"""What the tests of reading share."""

import pytest

from backstay.resources.declaration.readable import Readable
from tests.catalogue.resources import GaugeResource, ProductResource


@pytest.fixture
def products() -> Readable:
    """The products of the filter cases."""
    return Readable(ProductResource)


@pytest.fixture
def gauges() -> Readable:
    """A resource with a field of every kind."""
    return Readable(GaugeResource)
