"""A simulated GitHub, and a site on it."""

from pathlib import Path

import pytest

from tests.contributing.github.running import Site
from tests.contributing.github.simulator import GitHub


@pytest.fixture
def github() -> GitHub:
    """A GitHub with the repository acme/portal and a board."""
    return GitHub()


@pytest.fixture
def site(github: GitHub, tmp_path: Path) -> Site:
    """Our workflow in acme/portal."""
    return Site(github, tmp_path)
