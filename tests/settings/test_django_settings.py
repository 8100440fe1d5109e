"""The Django settings that are made from an environment."""

import base64
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import ConnectionHandler

from backstay.settings import SettingsError, django_settings, load
from backstay.settings.environment import ENVIRONMENTS

DEPLOYED = {
    'SECRET_KEY': 'test-key-' * 6,
    'ALLOWED_HOSTS': 'example.com',
    'DATABASE_URL': 'postgres://u@h/d',
}


def settings_of(
    base_dir: Path, services: dict[str, str] | None = None, **variables: str
) -> dict[str, Any]:
    """The settings of a site at this folder."""
    environment = load(base_dir, {'ENV': 'test', **variables})
    return django_settings(environment, base_dir=base_dir, services=services or {})


def database_of(base_dir: Path, url: str, **variables: str) -> dict[str, Any]:
    """The settings of its database."""
    database = settings_of(base_dir, DATABASE_URL=url, **variables)['DATABASES']['default']
    assert isinstance(database, dict)
    return database


def test_django_has_nothing_to_warn_of_under_production(run_python) -> None:
    ran = run_python(
        'manage.py',
        'check',
        '--deploy',
        '--fail-level',
        'WARNING',
        ENV='production',
        SECRET_KEY=secrets.token_urlsafe(48),
        ALLOWED_HOSTS='example.com',
        DATABASE_URL='sqlite://:memory:',
        BACKSTAY_SQLITE_IN_PRODUCTION='1',
        EMAIL_URL='smtp+tls://mail.example.com',
        BACKSTAY_ENCRYPTION_KEYS=f'2026:{base64.b64encode(secrets.token_bytes(32)).decode()}',
        SERVICES=None,
    )

    assert ran.returncode == 0, ran.stderr
    assert '0 silenced' in ran.stdout


@pytest.mark.parametrize('env', ENVIRONMENTS)
def test_debug_is_off_everywhere(tmp_path: Path, env: str) -> None:
    assert settings_of(tmp_path, ENV=env, **DEPLOYED)['DEBUG'] is False


@pytest.mark.parametrize(
    'setting',
    [
        'SECURE_SSL_REDIRECT',
        'SECURE_HSTS_SECONDS',
        'SESSION_COOKIE_SECURE',
        'CSRF_COOKIE_SECURE',
    ],
)
def test_what_needs_https_is_on_only_where_strangers_come(tmp_path: Path, setting: str) -> None:
    assert settings_of(tmp_path, ENV='staging', **DEPLOYED)[setting]
    assert not settings_of(tmp_path, ENV='local')[setting]


def test_hosts_are_those_of_the_environment(tmp_path: Path) -> None:
    made = settings_of(tmp_path, ENV='production', **DEPLOYED)

    assert made['ALLOWED_HOSTS'] == ['example.com']


def test_without_hosts_only_this_machine_is_answered(tmp_path: Path) -> None:
    assert '*' not in settings_of(tmp_path, ENV='local')['ALLOWED_HOSTS']


class TestServices:
    def test_all_are_mounted_when_none_is_named(
        self, tmp_path: Path, write_service: Callable[..., dict[str, str]]
    ) -> None:
        services = write_service('one', 'one/') | write_service('two', 'two/')

        made = settings_of(tmp_path, services)

        assert [service.name for service in made['BACKSTAY_SERVICES']] == ['one', 'two']

    def test_those_named_are_mounted(
        self, tmp_path: Path, write_service: Callable[..., dict[str, str]]
    ) -> None:
        services = write_service('one', 'one/') | write_service('two', 'two/')

        made = settings_of(tmp_path, services, SERVICES='two')

        assert [service.name for service in made['BACKSTAY_SERVICES']] == ['two']

    def test_an_unknown_one_is_a_mistake_of_the_environment(
        self, tmp_path: Path, write_service: Callable[..., dict[str, str]]
    ) -> None:
        services = write_service('one', 'one/')

        with pytest.raises(SettingsError, match='SERVICES: unknown: three; this site has: one'):
            settings_of(tmp_path, services, SERVICES='one,three')

    def test_bring_their_own_settings(
        self, tmp_path: Path, write_service: Callable[..., dict[str, str]]
    ) -> None:
        services = write_service('one', 'one/', more="settings={'ONE_LIMIT': 5}")

        assert settings_of(tmp_path, services)['ONE_LIMIT'] == 5


@pytest.fixture
def databases(django_db_blocker: Any) -> Iterator[None]:
    """Databases of the test's own, which no transaction of the suite covers."""
    with django_db_blocker.unblock():
        yield


class TestSqlite:
    def test_a_relative_file_lies_in_the_base_directory(self, tmp_path: Path) -> None:
        assert database_of(tmp_path, 'sqlite:///var/x.sqlite3')['NAME'] == (
            tmp_path / 'var' / 'x.sqlite3'
        )

    def test_an_absolute_file_stays_where_it_is(self, tmp_path: Path) -> None:
        name = database_of(tmp_path / 'site', f'sqlite:///{tmp_path}/x.sqlite3')['NAME']

        assert name == tmp_path / 'x.sqlite3'

    @pytest.mark.usefixtures('databases')
    def test_readers_do_not_wait_for_the_writer(self, tmp_path: Path) -> None:
        connections = ConnectionHandler({'default': database_of(tmp_path, 'sqlite:///x.sqlite3')})
        with connections['default'].cursor() as cursor:
            mode = cursor.execute('PRAGMA journal_mode').fetchone()
        connections.close_all()

        assert mode == ('wal',)

    @pytest.mark.usefixtures('databases')
    def test_transactions_that_read_and_then_write_wait_for_each_other(
        self, tmp_path: Path
    ) -> None:
        settings = database_of(tmp_path, 'sqlite:///x.sqlite3')
        first = ConnectionHandler({'default': settings})
        with first['default'].cursor() as cursor:
            cursor.execute('CREATE TABLE counter (value INTEGER)')
            cursor.execute('INSERT INTO counter VALUES (0)')
        errors: list[Exception] = []

        threads = [
            threading.Thread(target=_count_up, args=(settings, 50, errors)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with first['default'].cursor() as cursor:
            assert cursor.execute('SELECT value FROM counter').fetchone() == (100,)
        first.close_all()
        assert errors == []


def _count_up(settings: dict[str, Any], times: int, errors: list[Exception]) -> None:
    """Add one to the counter in that many transactions, on a connection of this thread."""

    connection = ConnectionHandler({'default': settings})['default']
    try:
        for _ in range(times):
            connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
            with connection.cursor() as cursor:
                (value,) = cursor.execute('SELECT value FROM counter').fetchone()
                cursor.execute('UPDATE counter SET value = %s', [value + 1])
            connection.commit()
            connection.set_autocommit(True)
    except Exception as error:  # noqa: BLE001 the test asserts that there is none
        errors.append(error)
    finally:
        connection.close()


class TestPostgresql:
    def test_has_a_pool_of_one_connection_per_thread(self, tmp_path: Path) -> None:
        options = database_of(tmp_path, 'postgres://u@h/d', BACKSTAY_CONCURRENCY='7')['OPTIONS']

        assert options['pool']['max_size'] == 7

    def test_takes_options_of_the_url(self, tmp_path: Path) -> None:
        options = database_of(tmp_path, 'postgres://u@h/d?sslmode=require')['OPTIONS']

        assert options['sslmode'] == 'require'

    def test_gives_up_in_time_for_a_probe(self, tmp_path: Path) -> None:
        assert database_of(tmp_path, 'postgres://u@h/d')['OPTIONS']['connect_timeout'] <= 2


class TestCache:
    def test_is_in_memory_without_redis(self, tmp_path: Path) -> None:
        assert settings_of(tmp_path)['CACHES']['default']['BACKEND'].endswith('LocMemCache')

    def test_is_redis_when_named(self, tmp_path: Path) -> None:
        cache = settings_of(tmp_path, REDIS_URL='redis://h/1')['CACHES']['default']

        assert cache['BACKEND'].endswith('RedisCache')
        assert cache['LOCATION'] == 'redis://h/1'


def mailer_of(made: dict[str, Any]) -> dict[str, Any]:
    """Backend and options of the mail, where this Django looks for them."""
    if django.VERSION >= (6, 1):
        mailer = made['MAILERS']['default']
        return {'backend': mailer['BACKEND'], **mailer['OPTIONS']}
    return {
        'backend': made['EMAIL_BACKEND'],
        'host': made.get('EMAIL_HOST'),
        'port': made.get('EMAIL_PORT'),
        'username': made.get('EMAIL_HOST_USER'),
        'password': made.get('EMAIL_HOST_PASSWORD'),
        'use_ssl': made.get('EMAIL_USE_SSL'),
        'use_tls': made.get('EMAIL_USE_TLS'),
    }


class TestTheNameOfTheSite:
    """Mail and authenticator apps show the service's own name."""

    def test_is_that_of_its_one_service(
        self, tmp_path: Path, write_service: Callable[..., dict[str, str]]
    ) -> None:
        made = settings_of(
            tmp_path, write_service('billing', 'billing/'), ENV='staging', **DEPLOYED
        )
        title = made['BACKSTAY_SERVICES'][0].title

        assert made['DEFAULT_FROM_EMAIL'] == f'{title} <no-reply@example.com>'
        assert made['MFA_TOTP_ISSUER'] == title

    def test_is_backstay_for_several(
        self, tmp_path: Path, write_service: Callable[..., dict[str, str]]
    ) -> None:
        services = write_service('one', 'one/') | write_service('two', 'two/')
        made = settings_of(tmp_path, services)

        assert made['DEFAULT_FROM_EMAIL'] == 'Backstay <no-reply@localhost>'
        assert made['MFA_TOTP_ISSUER'] == 'Backstay'

    def test_gives_way_to_a_sender_that_is_named(self, tmp_path: Path) -> None:
        sender = 'Billing <billing@example.com>'

        assert settings_of(tmp_path, DEFAULT_FROM_EMAIL=sender)['DEFAULT_FROM_EMAIL'] == sender


class TestMail:
    @pytest.mark.parametrize(
        ('env', 'backend'),
        [
            ('local', 'backstay.operations.mail.Terminal'),
            ('test', 'django.core.mail.backends.locmem.EmailBackend'),
            ('production', 'backstay.operations.mail.Nowhere'),
        ],
    )
    def test_goes_where_nobody_else_reads_it(self, tmp_path: Path, env: str, backend: str) -> None:
        made = settings_of(tmp_path, ENV=env, **DEPLOYED)

        assert mailer_of(made)['backend'] == backend

    @pytest.mark.parametrize(
        ('url', 'port', 'ssl', 'tls'),
        [
            ('smtp://mail.example.com', 25, False, False),
            ('smtp+tls://us%40er:p%2Fw@mail.example.com', 587, False, True),
            ('smtps://us%40er:p%2Fw@mail.example.com:4465', 4465, True, False),
        ],
    )
    def test_goes_to_a_server_when_told(
        self, tmp_path: Path, url: str, port: int, ssl: bool, tls: bool
    ) -> None:
        mailer = mailer_of(settings_of(tmp_path, ENV='production', EMAIL_URL=url, **DEPLOYED))

        assert mailer['backend'].endswith('smtp.EmailBackend')
        assert (mailer['host'], mailer['port']) == ('mail.example.com', port)
        assert (mailer['use_ssl'], mailer['use_tls']) == (ssl, tls)
        if '@' in url:
            assert (mailer['username'], mailer['password']) == ('us@er', 'p/w')

    @pytest.mark.parametrize('url', ['mail.example.com', 'http://x', 'smtp://'])
    def test_goes_to_nothing_else(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(SettingsError, match='EMAIL_URL'):
            settings_of(tmp_path, EMAIL_URL=url)


@pytest.mark.parametrize('url', ['https://shop.example.com/', 'shop.example.com', 'ftp://x'])
def test_the_front_end_is_an_address_without_a_slash(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match='BACKSTAY_FRONTEND_URL'):
        settings_of(tmp_path, BACKSTAY_FRONTEND_URL=url)
    good = settings_of(tmp_path, BACKSTAY_FRONTEND_URL='https://shop.example.com/app')
    assert good['HEADLESS_FRONTEND_URLS']['account_signup'].startswith('https://shop.example.com/')
