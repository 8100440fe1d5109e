"""The site of the bookshop and the catalogue, and its rows."""

import pytest

from tests.resources.http import rows


@pytest.fixture(autouse=True)
def _site(settings: pytest.FixtureRequest) -> None:
    settings.ROOT_URLCONF = 'tests.resources.http.site'  # type: ignore[attr-defined]


@pytest.fixture
def products(db: None) -> None:
    """The five products of the filter, sort and page cases."""
    rows.store_products()


@pytest.fixture
def shown_products(db: None) -> None:
    """The two products of the mask cases."""
    rows.store_shown_products()


@pytest.fixture
def books(db: None) -> None:
    """Seven books, with all that belongs to them."""
    rows.store_books()
