"""A browser for the tests of pages, or the reason why there is none."""

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome

from tests.pages.browser import INSTALL, Browser, chromium_at, programs


@pytest.fixture(scope='session')
def chromium(live_server: LiveServer) -> Iterator[Chrome]:
    """One browser for all tests: it takes seconds to start.

    It goes before the server does, whose open connections would be left without an end.
    """
    found = programs()
    if found is None:
        pytest.skip(INSTALL)
    with chromium_at(*found) as chrome:
        yield chrome


@pytest.fixture
def browser(chromium: Chrome) -> Browser:
    """An empty window of somebody who was never here."""
    chromium.get('about:blank')
    chromium.execute_cdp_cmd('Network.clearBrowserCookies', {})
    chromium.execute_cdp_cmd('Network.clearBrowserCache', {})
    return Browser(driver=chromium)
