"""The documents of the service say what is there."""

import io
import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from services.codereview.options import options
from services.codereview.pages import urls as pages

pytestmark = pytest.mark.engine_free

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / 'docs'
REFERENCE = (DOCS / 'reference' / 'codereview.md').read_text()


def test_the_diagram_is_that_of_the_models() -> None:
    page = (DOCS / 'reference' / 'codereview-models.md').read_text()
    (shown,) = re.findall(r'^```mermaid\n(.*?)^```', page, re.DOTALL | re.MULTILINE)

    call_command('graph_models', stdout=(printed := io.StringIO()))

    assert shown == printed.getvalue()


def test_every_difference_has_its_line() -> None:
    page = (DOCS / 'explanation' / 'codereview-differences.md').read_text()

    assert re.findall(r'^\| (F\d+) \| .+ \| .+ \|$', page, re.MULTILINE) == [
        f'F{number}' for number in range(1, 31)
    ]


def test_every_command_is_listed() -> None:
    own = {name for name, app in get_commands().items() if app == 'services.codereview'}

    assert own
    assert own <= {*re.findall(r'^\| `backstay (\w+)', REFERENCE, re.MULTILINE)}


def test_every_setting_is_listed_with_its_default() -> None:
    listed = dict(
        re.findall(r'^\| `((?:CODEREVIEW|TASKCLUSTER)_\w+)` \| `([^`]*)`', REFERENCE, re.MULTILINE)
    )

    assert options(listed) == options({})
    assert set(listed) == set(options({}))


def test_every_page_is_listed() -> None:
    routes = [str(each.pattern).lstrip('^').rstrip('$') for each in pages.urlpatterns[:-1]]
    listed = re.findall(r'^\| `/review/([^`]*)`', REFERENCE, re.MULTILINE)

    assert [re.sub('<.*>', '', route) for route in listed] == [
        re.sub(r'\(.*\)', '', route) for route in routes
    ]


def test_what_is_set_by_hand_is_what_app_json_sets() -> None:
    page = (DOCS / 'how-to' / 'deploy-codereview.md').read_text()
    by_hand = dict(re.findall(r'(?<= )([A-Z_]+)=([\w./,-]*)(?=\s)', page.partition('git push')[0]))
    told = json.loads((ROOT / 'app.json').read_text())['env']
    values = {name: each['value'] for name, each in told.items() if 'value' in each}

    assert by_hand.pop('ALLOWED_HOSTS')
    assert by_hand.items() <= values.items()
    assert values.keys() - by_hand.keys() == {'BACKSTAY_PROCESSES'}
