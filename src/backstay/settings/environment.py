"""The environment of a process: typed variables, read in layers, checked all at once.

Layers, strongest first: the process environment, `env/.env.<ENV>.secrets`, `env/.env.<ENV>`,
`env/.env`. Files are only read, never exported, so that a library that looks into `os.environ`
cannot find a secret from a file.
"""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from backstay.settings.local_secret import LOCAL_SECRETS, local_secret
from backstay.settings.master_keys import parse_master_keys
from backstay.settings.spans import parse_spans

ENVIRONMENTS = ('local', 'test', 'development', 'staging', 'production')
MIB = 1024 * 1024
_ON_ONE_MACHINE = ('local', 'test')
_OWN_DATABASE = 'sqlite:///var/db.sqlite3'


class SettingsError(ImproperlyConfigured):
    """All mistakes of the environment at once: each variable and its fault, never its value."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        self.mistakes = dict(mistakes)
        lines = [f'  {variable}: {mistake}' for variable, mistake in sorted(self.mistakes.items())]
        super().__init__('\n'.join(['The environment is not usable:', *lines]))


def _split_on_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(',') if item.strip())
    return value


def _need(module: str, extra: str) -> None:
    """Reject a variable whose package is not installed."""
    if find_spec(module) is None:
        raise ValueError(f"needs what is not installed: pip install 'backstay[{extra}]'")


CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_split_on_commas)]


class Environment(BaseModel):
    """The variables that Backstay knows. The alias of a field is the variable's name."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    #: One of `ENVIRONMENTS`. Only `local` and `test` may run without secrets and hosts.
    env: Literal['local', 'test', 'development', 'staging', 'production'] = Field(alias='ENV')
    secret_key: SecretStr = Field(SecretStr(''), alias='SECRET_KEY', validate_default=True)
    #: Master keys of encrypted columns, as `name:base64,name:base64`: the first one wraps.
    encryption_keys: SecretStr = Field(SecretStr(''), alias='BACKSTAY_ENCRYPTION_KEYS')
    #: The import path of a class of our own for them; empty means `BACKSTAY_ENCRYPTION_KEYS`.
    keyring: str = Field('', alias='BACKSTAY_KEYRING', pattern=r'^([\w.]+\.\w+)?$')
    #: Secret keys before this one, the newest first: they read what was written with them.
    secret_key_fallbacks: Annotated[tuple[SecretStr, ...], BeforeValidator(_split_on_commas)] = (
        Field((), alias='SECRET_KEY_FALLBACKS')
    )
    sqlite_in_production: bool = Field(False, alias='BACKSTAY_SQLITE_IN_PRODUCTION')
    #: `sqlite:///path`, relative to the base directory, or `postgres://user@host:port/name`. Only
    #: `local` and `test` have one without being told.
    database_url: SecretStr = Field(SecretStr(''), alias='DATABASE_URL', validate_default=True)
    #: A shared cache; without it every process has its own in memory.
    redis_url: SecretStr | None = Field(None, alias='REDIS_URL')
    #: The runner of tasks: workers on the database, or Celery with Redis as its broker.
    tasks: Literal['database', 'celery'] = Field('database', alias='BACKSTAY_TASKS')
    #: The services to mount, by name; empty means all that the site has.
    services: CommaSeparated = Field((), alias='SERVICES')
    host: str = Field('127.0.0.1', alias='HOST')
    port: int = Field(8000, alias='PORT', ge=0, le=65535)
    allowed_hosts: CommaSeparated = Field((), alias='ALLOWED_HOSTS', validate_default=True)
    cors_allowed_origins: CommaSeparated = Field((), alias='CORS_ALLOWED_ORIGINS')
    csrf_trusted_origins: CommaSeparated = Field((), alias='CSRF_TRUSTED_ORIGINS')
    log_level: Literal['DEBUG', 'INFO', 'WARNING', 'ERROR'] = Field('INFO', alias='LOG_LEVEL')
    profile_in_production: bool = Field(False, alias='BACKSTAY_PROFILE_IN_PRODUCTION')
    #: Print the profile of each API request; three to four times slower, one request at a time.
    profile: bool = Field(False, alias='PROFILE')
    #: Threads of one web process, which is also the size of its connection pool.
    concurrency: int = Field(4, alias='BACKSTAY_CONCURRENCY', ge=1, le=256)
    #: Web processes.
    processes: int = Field(1, alias='BACKSTAY_PROCESSES', ge=1, le=64)
    #: Seconds after the signal to stop in which requests are still taken, while `/readyz` says 503.
    #: `load` gives 5 to a deployed site that does not say.
    drain: float = Field(0, alias='BACKSTAY_DRAIN_SECONDS', ge=0, le=300)
    #: Bytes that a request body may have, unless its view says otherwise.
    body_limit: int = Field(MIB, alias='BACKSTAY_BODY_LIMIT', ge=1)
    #: Bytes of all bodies that one web process holds at a time.
    bodies_in_flight: int = Field(64 * MIB, alias='BACKSTAY_BODIES_IN_FLIGHT', ge=1)
    #: Calls in a minute of one address, whoever calls; 0 is no limit, which `test` starts with.
    calls_by_address: int = Field(6_000, alias='BACKSTAY_CALLS_BY_ADDRESS', ge=0)
    #: Calls in a minute of one account.
    calls_by_account: int = Field(3_000, alias='BACKSTAY_CALLS_BY_ACCOUNT', ge=0)
    #: Calls in a minute of one key, or of the workflows of one repository.
    calls_by_key: int = Field(6_000, alias='BACKSTAY_CALLS_BY_KEY', ge=0)
    #: Header that carries a mask.
    mask_header: str = Field('X-Fields', alias='BACKSTAY_MASK_HEADER', pattern=r'^[A-Za-z0-9-]+$')
    #: Seconds that the statement of a list may take before it is rejected as too slow.
    statement_timeout: float = Field(5.0, alias='BACKSTAY_STATEMENT_TIMEOUT', gt=0, le=3600)
    #: Seconds that an export of every row may take, from its start to its last row.
    export_timeout: float = Field(300.0, alias='BACKSTAY_EXPORT_TIMEOUT', gt=0, le=86_400)
    #: `transaction` where a pooler lends connections of PostgreSQL for single transactions.
    pooler: Literal['', 'transaction'] = Field('', alias='BACKSTAY_POOLER')
    #: The path that Prometheus reads; empty switches the metrics off.
    metrics_path: str = Field('metrics', alias='BACKSTAY_METRICS_PATH')
    #: What readers of the metrics have to show as a bearer token; none lets everybody read them.
    metrics_token: SecretStr | None = Field(None, alias='BACKSTAY_METRICS_TOKEN')
    #: For whom Strict-Transport-Security is: nobody, the host, its subdomains, browsers' own lists.
    hsts: Literal['off', 'host', 'subdomains', 'preload'] = Field('preload', alias='BACKSTAY_HSTS')
    #: The server for mail: `smtp://user:password@host:port`, `smtp+tls://…`, `smtps://…`.
    email_url: SecretStr | None = Field(None, alias='EMAIL_URL')
    #: The Sentry project that gets failures, besides the log.
    sentry_dsn: SecretStr | None = Field(None, alias='SENTRY_DSN')
    #: Who mail is from; empty for the service's own name at the first of the hosts.
    mail_from: str = Field('', alias='DEFAULT_FROM_EMAIL')
    #: The base address of the front end, to whose pages mails link.
    frontend_url: str | None = Field(
        None, alias='BACKSTAY_FRONTEND_URL', pattern=r'^https?://[^\s]*[^/\s]$'
    )
    #: Whether strangers may make an account for themselves.
    sign_up: bool = Field(True, alias='BACKSTAY_SIGN_UP')
    #: Who must have a second factor: `staff`, and levels from which on everybody must. `load` gives
    #: `staff` to a deployed site that does not say.
    second_factor: CommaSeparated = Field((), alias='BACKSTAY_SECOND_FACTOR')
    #: Words that passwords may not be made of, beside the names of services and hosts.
    password_words: CommaSeparated = Field((), alias='BACKSTAY_PASSWORD_WORDS')
    #: A file of passwords that are known from breaches, relative to the base directory.
    breached_passwords: str = Field('', alias='BACKSTAY_BREACHED_PASSWORDS')
    #: A service that is asked for them by the first digits of their hashes; empty for none.
    breached_passwords_url: str = Field(
        '', alias='BACKSTAY_BREACHED_PASSWORDS_URL', pattern=r'^(https?://\S+/)?$'
    )
    #: How long a session may be idle, by kind of account: the shortest that fits counts.
    session_idle: str = Field('14d,staff=30m,4=30m', alias='BACKSTAY_SESSION_IDLE')
    #: How long a session may last in all.
    session_life: str = Field('90d,staff=12h,4=12h', alias='BACKSTAY_SESSION_LIFE')
    #: Days for which lines of the audit are kept.
    audit_days: int = Field(400, alias='BACKSTAY_AUDIT_DAYS', ge=1, le=3660)
    #: Days after which entries of the journal go that a later one replaces; 0 keeps all of them.
    journal_days: int = Field(0, alias='BACKSTAY_JOURNAL_DAYS', ge=0, le=36_500)
    #: GitHub's numeric ids of the owners whose workflows may call; none means no workflow may.
    pipeline_owners: CommaSeparated = Field((), alias='BACKSTAY_PIPELINE_OWNERS')
    #: Workflows that may call, as `owner/repository/.github/workflows/file.yaml@ref`; a `*` in them
    #: is any text without `/` and `@`.
    pipeline_workflows: CommaSeparated = Field((), alias='BACKSTAY_PIPELINE_WORKFLOWS')
    #: The audience that the token of such a workflow must name: the address of this site.
    pipeline_audience: str = Field('', alias='BACKSTAY_PIPELINE_AUDIENCE', validate_default=True)
    #: Ports that webhooks may lead to.
    webhook_ports: Annotated[
        tuple[Annotated[int, Field(ge=1, le=65535)], ...], BeforeValidator(_split_on_commas)
    ] = Field((443,), alias='BACKSTAY_WEBHOOK_PORTS')
    #: Let webhooks lead anywhere, by http and to private addresses too; not where strangers come.
    webhook_allow_private: bool = Field(False, alias='BACKSTAY_WEBHOOK_ALLOW_PRIVATE')
    #: Addresses of proxies whose X-Forwarded-* headers count.
    trusted_proxies: CommaSeparated = Field((), alias='BACKSTAY_TRUSTED_PROXIES')
    #: The header by which those proxies report the host that was asked for; none without a name.
    host_header: str | None = Field(None, alias='BACKSTAY_HOST_HEADER', pattern=r'^[A-Za-z0-9-]*$')

    @property
    def is_deployed(self) -> bool:
        """Whether strangers may reach this process: everywhere but on a developer's machine."""
        return self.env not in _ON_ONE_MACHINE

    @field_validator('database_url')
    @classmethod
    def _is_chosen(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if not value.get_secret_value():
            if info.data['env'] not in _ON_ONE_MACHINE:
                raise ValueError('is required: postgres://user:password@host:port/name')
            return SecretStr(_OWN_DATABASE)
        try:
            engine = dj_database_url.parse(value.get_secret_value()).get('ENGINE', '')
        except (ValueError, KeyError):
            engine = ''
        if engine not in ('django.db.backends.sqlite3', 'django.db.backends.postgresql'):
            raise ValueError('give sqlite:///path or postgres://user:password@host:port/name')
        if engine == 'django.db.backends.postgresql':
            _need('psycopg', 'postgres')
        elif info.data['env'] == 'production' and not info.data.get('sqlite_in_production'):
            raise ValueError(
                'is SQLite, whose file one machine has; in production that also needs '
                'BACKSTAY_SQLITE_IN_PRODUCTION=1'
            )
        return value

    @field_validator('encryption_keys')
    @classmethod
    def _are_keys(cls, value: SecretStr) -> SecretStr:
        parse_master_keys(value.get_secret_value())
        return value

    @field_validator('second_factor')
    @classmethod
    def _are_kinds_of_accounts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch('staff|[1-5]', each) for each in value):
            raise ValueError('give staff, a level from 1 to 5, both, or nothing')
        return value

    @field_validator('breached_passwords_url')
    @classmethod
    def _is_encrypted_on_the_way(cls, value: str, info: ValidationInfo) -> str:
        if value.startswith('http:') and info.data['env'] not in _ON_ONE_MACHINE:
            raise ValueError('give an address that begins with https://')
        return value

    @field_validator('session_idle', 'session_life')
    @classmethod
    def _are_spans(cls, value: str) -> str:
        parse_spans(value)
        return value

    @field_validator('redis_url')
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if not re.match(r'(redis|rediss|unix)://.', value.get_secret_value()):
            raise ValueError('give redis://host:port/number, or leave it empty for none')
        _need('redis', 'redis')
        return value

    @field_validator('sentry_dsn')
    @classmethod
    def _is_dsn(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if not re.match(r'https?://[^@/\s]+@[^/\s]+/.', value.get_secret_value()):
            raise ValueError('give https://key@host/project, or leave it empty for none')
        _need('sentry_sdk', 'sentry')
        return value

    @field_validator('tasks')
    @classmethod
    def _has_a_broker(cls, value: str, info: ValidationInfo) -> str:
        if value == 'celery' and info.data.get('redis_url') is None:
            raise ValueError('celery needs REDIS_URL, its broker')
        if value == 'celery':
            _need('celery', 'celery')
        return value

    @field_validator('email_url')
    @classmethod
    def _is_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if not re.match(r'(smtp|smtps|smtp\+tls)://.', value.get_secret_value()):
            raise ValueError('give smtp://, smtp+tls:// or smtps://user:password@host:port')
        return value

    @field_validator('trusted_proxies')
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for each in set(value) - {'*'}:
                ip_network(each, strict=False)
        except ValueError:
            raise ValueError('give addresses or networks such as 10.0.0.0/8') from None
        return value

    @field_validator('cors_allowed_origins', 'csrf_trusted_origins')
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r'https?://[^/\s]+', origin) for origin in value):
            raise ValueError('give origins such as https://example.com, separated by commas')
        return value

    @field_validator('metrics_path')
    @classmethod
    def _is_path(cls, value: str) -> str:
        if not re.fullmatch(r'[\w./-]*', value):
            raise ValueError('give a path of letters, digits, dots, dashes and slashes')
        return value.strip('/')

    @field_validator('secret_key')
    @classmethod
    def _is_long(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        key, is_deployed = value.get_secret_value(), info.data['env'] not in _ON_ONE_MACHINE
        if len(key) < (50 if is_deployed else 32) or (is_deployed and len({*key}) < 5):
            # As `check --deploy` wants it (security.W009), but before anything runs.
            raise ValueError(
                'is required, with at least 50 characters, five of them different, when deployed; '
                'elsewhere 32'
            )
        return value

    @field_validator('pipeline_audience')
    @classmethod
    def _is_the_sites_own(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get('pipeline_owners') and not value:
            raise ValueError(
                'is required beside BACKSTAY_PIPELINE_OWNERS: the address of this site'
            )
        return value

    @field_validator('secret_key_fallbacks')
    @classmethod
    def _are_long(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(each.get_secret_value()) < 32 for each in value):
            raise ValueError('give secret keys of at least 32 characters, separated by commas')
        return value

    @field_validator('allowed_hosts')
    @classmethod
    def _are_given_when_deployed(
        cls, value: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        if info.data['env'] not in _ON_ONE_MACHINE and not value:
            raise ValueError('is required: the host names that this site answers for')
        return value

    @field_validator('webhook_allow_private')
    @classmethod
    def _is_on_one_machine(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data['env'] not in _ON_ONE_MACHINE:
            raise ValueError('lets webhooks into the network; only local and test may')
        return value

    @field_validator('profile')
    @classmethod
    def _is_meant_in_production(cls, value: bool, info: ValidationInfo) -> bool:
        allowed = info.data.get('profile_in_production', False)  # absent when it is a mistake
        if value and info.data['env'] == 'production' and not allowed:
            raise ValueError(
                'slows every request and prints internals; in production it also needs '
                'BACKSTAY_PROFILE_IN_PRODUCTION=1'
            )
        return value


def load(base_dir: Path, process: Mapping[str, str] | None = None) -> Environment:
    """Return the environment of the process at `base_dir`.

    Raises SettingsError with every mistake at once. A git checkout counts as `local` unless told
    otherwise; anything else, such as an image, has to name its ENV.
    """
    process = os.environ if process is None else process
    env = process.get('ENV') or ('local' if (base_dir / '.git').exists() else '')
    if env not in ENVIRONMENTS:
        fault = 'is not set' if not env else 'is not known'
        raise SettingsError({'ENV': f'{fault}; give one of {", ".join(ENVIRONMENTS)}'})
    # A suite makes thousands of calls in a minute; limits are for strangers.
    limits = ('ADDRESS', 'ACCOUNT', 'KEY') if env == 'test' else ()
    values = {f'BACKSTAY_CALLS_BY_{each}': '0' for each in limits}
    if env not in _ON_ONE_MACHINE:
        values |= {'BACKSTAY_SECOND_FACTOR': 'staff', 'BACKSTAY_DRAIN_SECONDS': '5'}
    mistakes: dict[str, str] = {}
    for name in ('.env', f'.env.{env}', f'.env.{env}.secrets'):
        layer = dotenv_values(base_dir / 'env' / name, interpolate=False)
        values |= {key: value for key, value in layer.items() if value is not None}
        mistakes |= {key: _unread(key, name) for key in layer if key not in _read_from_files()}
    values |= {**process, 'ENV': env}
    if env in _ON_ONE_MACHINE:
        for name, make in LOCAL_SECRETS.items():
            values[name] = values.get(name) or local_secret(base_dir, env, name, make())
    return _validate(values, mistakes)


def _read_from_files() -> set[str]:
    """Return the names of the variables that the files in `env/` may have."""
    return {str(field.alias) for field in Environment.model_fields.values()} - {'ENV'}


def _unread(name: str, file: str) -> str:
    """Return the mistake of a file that holds a variable which nothing would read."""
    if name == 'ENV':
        return f'comes from the process alone; remove it from env/{file}'
    return f'in env/{file} is read by nothing{_meant(name, _read_from_files())}'


def _meant(name: str, known: Iterable[str]) -> str:
    """Return the question for the nearest of the known names, if one is near."""
    near = get_close_matches(name, known, n=1, cutoff=0.75)
    return f'; did you mean {near[0]}?' if near else ''


def _validate(values: Mapping[str, str], wrong: Mapping[str, str]) -> Environment:
    aliases = {name: str(field.alias) for name, field in Environment.model_fields.items()}
    known = set(aliases.values())
    mistakes = {
        name: f'is not a variable of Backstay{_meant(name, known)}'
        for name in values
        if name.startswith('BACKSTAY_') and name not in known
    }
    mistakes |= wrong
    try:
        environment = Environment.model_validate({n: v for n, v in values.items() if n in known})
    except ValidationError as error:
        for each in error.errors():
            # pydantic names a variable by its alias when it was given, else by its field.
            name = str(each['loc'][0])
            variable = aliases.get(name, name)
            mistake = each['msg'].removeprefix('Value error, ')
            if not values.get(variable):  # perhaps it was given under a name with a slip
                near = get_close_matches(variable, values.keys() - known, n=1, cutoff=0.85)
                mistake += f' ({near[0]} is set, which nothing reads)' if near else ''
            mistakes[variable] = mistake
    if mistakes:
        raise SettingsError(mistakes)
    return environment
