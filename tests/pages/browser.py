"""A headless Chromium: what a page shows, what it asked for, what it complained of."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import (
    text_to_be_present_in_element,
    visibility_of_element_located,
)
from selenium.webdriver.support.ui import WebDriverWait

SECONDS = 10
INSTALL = (
    'pages need a browser: put chromium (or google-chrome) and its chromedriver on the PATH, '
    'on Debian with `apt-get install chromium chromium-driver`'
)

_OPTIONS = (
    '--headless=new',
    '--no-sandbox',  # which Chromium refuses to root and in most containers; it sees our pages only
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--window-size=1280,1000',
    # No name but that of the live server leads anywhere.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost',
)


def programs() -> tuple[str, str] | None:
    """Where the browser and its driver are, or None where one is missing."""
    chromium = shutil.which('google-chrome') or shutil.which('chromium')
    driver = shutil.which('chromedriver')
    return (chromium, driver) if chromium and driver else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """One window. Whatever is looked for is waited for."""

    driver: Chrome

    def open(self, address: str) -> None:
        """Go there; what was asked for and complained of before is forgotten."""
        self.requests()
        self.complaints()
        self.driver.get(address)

    def see(self, selector: str) -> WebElement:
        """The first element of a CSS selector, once it shows."""
        shows = visibility_of_element_located((By.CSS_SELECTOR, selector))
        return WebDriverWait(self.driver, SECONDS).until(shows, f'{selector} does not show')

    def see_all(self, selector: str) -> list[WebElement]:
        """All elements of a CSS selector, once one shows."""
        self.see(selector)
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def read(self, selector: str, text: str) -> None:
        """Return once the element says the text."""
        says = text_to_be_present_in_element((By.CSS_SELECTOR, selector), text)
        WebDriverWait(self.driver, SECONDS).until(says, f'{selector} does not say {text}')

    def fill_in(self, selector: str, text: str) -> None:
        """Put the text where another stood."""
        field = self.see(selector)
        field.clear()
        field.send_keys(text)

    def click(self, selector: str) -> None:
        """Click on the element."""
        self.see(selector).click()

    def cookies(self) -> dict[str, dict[str, object]]:
        """Those of the page, by their names."""
        return {cookie['name']: cookie for cookie in self.driver.get_cookies()}

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last call."""
        events = (json.loads(line['message'])['message'] for line in self._log('performance'))
        sent = (each for each in events if each['method'] == 'Network.requestWillBeSent')
        addresses = (each['params']['request']['url'] for each in sent)
        return [each for each in addresses if urlsplit(each).scheme not in ('data', 'blob')]

    def complaints(self) -> list[str]:
        """What the console has shown since the last call; broken policies are among it.

        A browser looks once for the icon of a site, and a site need not have one.
        """
        lines = (line['message'] for line in self._log('browser'))
        return [line for line in lines if '/favicon.ico ' not in line]

    def _log(self, name: str) -> list[dict[str, str]]:
        lines: list[dict[str, str]] = self.driver.get_log(name)  # type: ignore[no-untyped-call]
        return lines


@contextmanager
def chromium_at(binary: str, driver: str) -> Iterator[Chrome]:
    """The browser, with a profile of its own that goes with it."""
    options = ChromeOptions()
    options.binary_location = binary
    for option in _OPTIONS:
        options.add_argument(option)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    # The path of the driver keeps Selenium from looking for one on the web.
    chrome = Chrome(options, ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()
