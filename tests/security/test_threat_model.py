"""The threat model names every key, connection and table; the policy says how soon."""

import re
from pathlib import Path

from django.apps import apps

from backstay.settings import Environment
from tests.security.test_source import importing

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs/explanation/threat-model.md').read_text()


def part(title: str) -> str:
    """What stands below a heading of the second level."""
    return PAGE.partition(f'\n## {title}\n')[2].partition('\n## ')[0]


def test_whatever_handles_keys_is_in_the_inventory() -> None:
    handling = importing('cryptography|jwt|argon2|hmac|secrets.(token_urlsafe|token_bytes)')
    handling |= importing('standardwebhooks|django.core.signing')
    packages = {'backstay.' + module.removesuffix('.py').replace('/', '.') for module in handling}

    assert len(packages) > 5
    assert {each for each in packages if f'`{each}`' not in part('Keys')} == set()


def test_every_connection_of_the_environment_is_there() -> None:
    names = {str(field.alias) for field in Environment.model_fields.values()}
    connections = {name for name in names if re.search(r'_(URL|DSN|PROXIES)$', name)}

    assert len(connections) >= 6
    assert {name for name in connections if f'`{name}`' not in PAGE} == set()


def test_every_boundary_says_what_is_trusted_what_holds_and_what_is_open() -> None:
    boundaries = part('Boundaries').split('\n### ')[1:]

    assert len(boundaries) == 10
    for boundary in boundaries:
        title = boundary.partition('\n')[0]
        assert '**Trusted**' in boundary, title
        assert '| what could happen | what holds | written in |' in boundary, title
        assert boundary.count('\n| ') >= 3, title


def test_every_app_with_tables_has_its_class() -> None:
    labels = {
        model._meta.app_label
        for model in apps.get_models()
        if not model.__module__.startswith('tests.')
    }

    assert len(labels) > 12
    assert {label for label in labels if f'`{label}`' not in part('Data')} == set()


def test_the_policy_says_how_soon() -> None:
    policy = (ROOT / 'SECURITY.md').read_text()

    for severity in ('critical', 'high', 'medium, low'):
        assert re.search(rf'^\| {severity} \| .*\d+ (working )?days', policy, re.MULTILINE), (
            severity
        )
    assert '`make scan`' in policy
    assert 'Report a vulnerability' in policy
