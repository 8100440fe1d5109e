"""Swagger UI in a browser: it shows every operation, calls them, and asks nobody else."""

import json
from urllib.parse import urlsplit

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from tests.pages.browser import Browser

pytestmark = pytest.mark.engine_free

TWO_LIST_SUM = '#operations-List-sum-two_list_sum'


def operations_at(address: str) -> set[tuple[str, str]]:
    """Method and path of each operation of an OpenAPI document."""
    paths = httpx.get(address, trust_env=False).json()['paths']
    return {(method, path) for path, operations in paths.items() for method in operations}


def operations_shown(browser: Browser) -> set[tuple[str, str]]:
    """Method and path of each operation that the page shows."""
    return {
        (
            block.find_element('css selector', '.opblock-summary-method').text.lower(),
            str(block.find_element('css selector', '[data-path]').get_attribute('data-path')),
        )
        for block in browser.see_all('.opblock')
    }


@pytest.mark.parametrize(
    ('page', 'document'), [('/docs/', '/docs.json'), ('/api/v1/docs', '/api/v1/openapi.json')]
)
def test_a_page_shows_every_operation_and_asks_no_other_server(
    browser: Browser, live_server: LiveServer, page: str, document: str
) -> None:
    browser.open(live_server.url + page)

    assert operations_shown(browser) == operations_at(live_server.url + document)
    asked = browser.requests()
    assert live_server.url + document in asked
    assert {urlsplit(each).netloc for each in asked} == {urlsplit(live_server.url).netloc}
    assert browser.complaints() == []


def test_an_operation_is_tried_out(browser: Browser, live_server: LiveServer) -> None:
    browser.open(f'{live_server.url}/api/v1/docs')
    browser.click(f'{TWO_LIST_SUM} .opblock-summary-control')
    browser.click(f'{TWO_LIST_SUM} .try-out__btn')

    for target, answer in ((7, 'true'), (8, 'false')):
        body = json.dumps({'list_a': [1, 5], 'list_b': [2], 'target': target})
        browser.fill_in(f'{TWO_LIST_SUM} textarea.body-param__text', body)
        browser.click(f'{TWO_LIST_SUM} .execute')
        shown = f'{TWO_LIST_SUM} .live-responses-table tbody'
        browser.read(f'{shown} .response-col_description pre', answer)
        browser.read(f'{shown} .response-col_status', '200')
    assert browser.complaints() == []


def test_a_script_inside_a_page_is_not_run(browser: Browser, live_server: LiveServer) -> None:
    browser.open(f'{live_server.url}/docs/')
    browser.see('.opblock')
    browser.driver.execute_script(
        "const script = document.createElement('script');"
        'script.textContent = \'document.title = "injected"\';'
        'document.body.append(script)'
    )

    assert browser.driver.title != 'injected'
    (complaint,) = browser.complaints()
    assert 'Content Security Policy' in complaint


def test_a_request_to_another_server_is_not_sent(browser: Browser, live_server: LiveServer) -> None:
    browser.open(f'{live_server.url}/docs/')
    browser.see('.opblock')
    refused = browser.driver.execute_async_script(
        'const [done] = arguments;'
        "fetch('http://192.0.2.1/').then(() => done(false), () => done(true))"
    )

    assert refused
    assert any('Content Security Policy' in each for each in browser.complaints())
