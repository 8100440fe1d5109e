"""The pages in a browser: how they look to axe, what they ask for, with and without scripts."""

from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver.common.keys import Keys

from services.codereview.models import Diff
from services.codereview.pages.tests.conftest import Published
from services.codereview.tests import data
from tests.pages.browser import Browser

pytestmark = pytest.mark.engine_free  # what is read is tested on both, in `test_pages.py`

#: Rules of WCAG 2.1 at levels A and AA, contrast among them, and what axe holds for good practice.
RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']
AXE = files('axe_core_python').joinpath('axe.min.js').read_text()

ADDRESSES = {
    'diffs': '/review/',
    'nothing found': '/review/?search=nothing-of-that-name',
    'diff': '/review/diffs/555/',
    'closed': '/review/diffs/555/?show=closed',
    'revisions': '/review/revisions/',
    'revision': '/review/revisions/{revision}/',
    'checks': '/review/checks/',
    'check': '/review/checks/issues/?repository=try&analyzer=mozlint&check=E501',
    'history': '/review/history/',
    'refused': '/review/history/?since=x',
}


@pytest.fixture
def look(browser: Browser) -> Iterator[Any]:
    """Sets the width of the window and the preferred scheme of colours."""

    def set_to(width: int, scheme: str) -> None:
        size = {'width': width, 'height': 900, 'deviceScaleFactor': 1, 'mobile': width < 600}
        browser.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
        features = [{'name': 'prefers-color-scheme', 'value': scheme}]
        browser.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': features})

    yield set_to
    browser.driver.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})
    browser.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': []})


@pytest.fixture
def scriptless(browser: Browser) -> Iterator[Browser]:
    """The browser of somebody who runs no scripts."""
    browser.driver.execute_cdp_cmd('Emulation.setScriptExecutionDisabled', {'value': True})
    yield browser
    browser.driver.execute_cdp_cmd('Emulation.setScriptExecutionDisabled', {'value': False})


def violations(browser: Browser) -> list[str]:
    """What axe finds wrong with the page, and where."""
    browser.driver.execute_script(AXE)
    found: dict[str, Any] = browser.driver.execute_async_script(
        'const [rules, done] = arguments;'
        "axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(done)",
        RULES,
    )
    assert len(found['passes']) > 15
    return [
        f'{each["id"]}: {node["html"]}' for each in found['violations'] for node in each['nodes']
    ]


@pytest.mark.parametrize(('width', 'scheme'), [(1280, 'light'), (390, 'dark')])
def test_pages_are_accessible_and_fit_phones_and_desktops(
    browser: Browser,
    live_server: LiveServer,
    look: Any,
    width: int,
    scheme: str,
    published: Published,
) -> None:
    look(width, scheme)
    found = {}
    for name, address in ADDRESSES.items():
        address = address.format(revision=published.new.revision_id)
        browser.driver.get(live_server.url + address)
        browser.see('h1')
        found[name] = violations(browser)
        assert browser.driver.execute_script('return document.body.scrollWidth') <= width, name
    assert [*found.items()] == [(name, []) for name in ADDRESSES]


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.usefixtures('published')
def test_scheme_of_colours_is_that_of_the_reader(
    browser: Browser, live_server: LiveServer, look: Any, scheme: str
) -> None:
    look(1280, scheme)
    browser.driver.get(f'{live_server.url}/review/')

    colour = browser.see('body').value_of_css_property('background-color')
    assert (sum(map(int, colour[5:-1].split(',')[:3])) < 200) == (scheme == 'dark')


@pytest.mark.usefixtures('published')
def test_somebody_finds_a_diff_and_its_issues(browser: Browser, live_server: LiveServer) -> None:
    browser.open(f'{live_server.url}/review/')
    browser.fill_in('#search', 'DIFF-new' + Keys.ENTER)
    browser.read('.count', '1 diff found')
    browser.click('.diff h2 a')
    browser.read('.count', '104 places')
    browser.click('.tabs a:nth-child(5)')
    browser.read('.file h3', 'gone.py')
    browser.click('.state a')
    browser.read('.siblings [aria-current]', 'Diff 1 ')
    browser.click('.top a[href="/review/checks/"]')
    browser.click('.sorted tbody a')
    browser.read('h1', 'E501')

    asked = browser.requests()
    assert {urlsplit(each).netloc for each in asked} == {urlsplit(live_server.url).netloc}
    assert browser.complaints() == []


@pytest.mark.usefixtures('published')
def test_everything_but_the_chart_works_without_scripts(
    scriptless: Browser, live_server: LiveServer
) -> None:
    scriptless.open(f'{live_server.url}/review/diffs/555/')
    scriptless.fill_in('#search', 'a/b' + Keys.ENTER)
    scriptless.read('.count', '1 place')
    assert [each.text for each in scriptless.see_all('.file h3')] == ['a/b.py']

    scriptless.open(f'{live_server.url}/review/history/')
    assert len(scriptless.see_all('#days tbody tr')) == 1
    assert not scriptless.driver.find_element('css selector', '#chart').is_displayed()


@pytest.mark.usefixtures('published')
def test_history_is_drawn_as_a_line(browser: Browser, live_server: LiveServer, look: Any) -> None:
    for number in range(9):
        created = timezone.now() - timedelta(days=5 if number else 30)
        data.stored_issue(f'{number} before', created=created)
    look(1280, 'light')
    browser.open(f'{live_server.url}/review/history/')

    chart = browser.see('#chart .uplot')
    assert 'at most 8' in str(chart.get_attribute('aria-label'))
    assert painted(browser) > 20
    assert browser.complaints() == []

    look(390, 'dark')  # it is drawn anew, in other colours and as wide as there is room
    browser.see('#chart .uplot')
    assert painted(browser) > 20
    assert browser.complaints() == []


def painted(browser: Browser) -> int:
    """How many pixels of the chart have the colour of its line."""
    count: int = browser.driver.execute_script(
        """
        const figure = document.getElementById('chart');
        const canvas = figure.querySelector('canvas');
        const probe = document.createElement('canvas').getContext('2d');
        probe.fillStyle = getComputedStyle(figure).getPropertyValue('--accent').trim();
        probe.fillRect(0, 0, 1, 1);
        const wanted = probe.getImageData(0, 0, 1, 1).data;
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let at = 0; at < data.length; at += 4)
          if ([0, 1, 2, 3].every((part) => data[at + part] === wanted[part])) count += 1;
        return count;
        """
    )
    return count


@pytest.mark.usefixtures('published')
def test_a_keyboard_reaches_the_content_first(browser: Browser, live_server: LiveServer) -> None:
    browser.driver.get(f'{live_server.url}/review/')
    browser.see('body').send_keys(Keys.TAB)
    browser.read('.skip:focus', 'Skip to the content')
    browser.see('.skip').send_keys(Keys.ENTER)
    browser.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.driver.switch_to.active_element.get_attribute('id') == 'search'


def test_hostile_text_does_nothing(
    browser: Browser, live_server: LiveServer, hostile: Diff
) -> None:
    browser.open(f'{live_server.url}/review/diffs/{hostile.pk}/')
    browser.read('h1', '<script>document.title="ran"</script>')
    browser.read('.message', '<img src=x onerror=alert(1)>')

    assert browser.driver.title.startswith('</td></title>')
    assert browser.driver.find_elements('css selector', 'main img, main script, main b') == []
    links = browser.driver.find_elements('css selector', '.facts a')
    assert [str(each.get_attribute('href')) for each in links] == [
        'https://bugzilla.mozilla.org/show_bug.cgi?id=42',
        f'{live_server.url}/review/revisions/{hostile.revision_id}/',
    ]
    assert browser.complaints() == []
