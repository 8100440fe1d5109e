"""What `check --deploy` says of who is believed, and of who may read the database."""

from pathlib import Path
from typing import Any

import pytest

from backstay.operations.checks import check_deployment
from backstay.settings import Environment, django_settings


def environment(**differs: str) -> Environment:
    return Environment.model_validate(
        {
            'ENV': 'staging',
            'SECRET_KEY': 'test-key-' * 6,
            'ALLOWED_HOSTS': 'a.example',
            'DATABASE_URL': 'postgres://u@h/d',
            **differs,
        }
    )


@pytest.mark.parametrize('name', ['ALLOWED_HOSTS', 'BACKSTAY_TRUSTED_PROXIES'])
def test_a_star_is_an_error(settings: Any, name: str) -> None:
    settings.BACKSTAY = environment(**{name: '*'})
    (found,) = check_deployment()
    assert (found.id, found.is_serious()) == ('backstay.E060', True)
    assert found.msg.startswith(f'{name}:')


def test_names_are_none(settings: Any) -> None:
    settings.BACKSTAY = environment(BACKSTAY_TRUSTED_PROXIES='10.0.0.0/8')
    assert list(check_deployment()) == []


def test_a_new_database_is_for_its_owner_alone(settings: Any, tmp_path: Path) -> None:
    made = django_settings(
        environment(DATABASE_URL='sqlite:///var/site.sqlite3'), base_dir=tmp_path, services={}
    )
    file = tmp_path / 'var' / 'site.sqlite3'
    assert made['DATABASES']['default']['NAME'] == file
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_database_that_others_may_read_is_a_warning(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.BACKSTAY = environment()
    (file := tmp_path / 'site.sqlite3').touch()
    database = {'ENGINE': 'django.db.backends.sqlite3', 'NAME': file}
    monkeypatch.setitem(settings.DATABASES, 'default', database)
    for mode, found in ((0o600, []), (0o640, ['backstay.W060']), (0o604, ['backstay.W060'])):
        file.chmod(mode)
        assert [each.id for each in check_deployment()] == found


@pytest.mark.parametrize(
    ('hsts', 'sent'),
    [
        ('off', (0, False, False)),
        ('host', (31_536_000, False, False)),
        ('subdomains', (31_536_000, True, False)),
        ('preload', (31_536_000, True, True)),
    ],
)
def test_strict_transport_security_goes_as_far_as_the_site_says(
    tmp_path: Path, hsts: str, sent: tuple[Any, ...]
) -> None:
    made = django_settings(environment(BACKSTAY_HSTS=hsts), base_dir=tmp_path, services={})
    names = ('SECURE_HSTS_SECONDS', 'SECURE_HSTS_INCLUDE_SUBDOMAINS', 'SECURE_HSTS_PRELOAD')
    assert tuple(made[name] for name in names) == sent
