"""The environment of a process: layers, types, and every mistake at once (contract T5-T10)."""

import os
import traceback
from pathlib import Path

import pytest

from backstay.settings import Environment, SettingsError, load
from backstay.settings.environment import ENVIRONMENTS

KEY = 'test-key-' * 6
DEPLOYED = {
    'SECRET_KEY': KEY,
    'ALLOWED_HOSTS': 'example.com',
    'DATABASE_URL': 'postgres://u@h/d',
}


def write(base_dir: Path, name: str, text: str) -> None:
    """A file of the env folder."""
    (base_dir / 'env').mkdir(exist_ok=True)
    (base_dir / 'env' / name).write_text(text)


def mistakes_of(base_dir: Path, **variables: str) -> dict[str, str]:
    """What load says about this process environment."""
    with pytest.raises(SettingsError) as caught:
        load(base_dir, variables)
    return caught.value.mistakes


class TestLayers:
    def test_each_variable_comes_from_its_strongest_layer(self, tmp_path: Path) -> None:
        write(tmp_path, '.env', 'HOST=shared\nPORT=1111\nLOG_LEVEL=DEBUG\n')
        write(tmp_path, '.env.test', 'PORT=2222\nLOG_LEVEL=ERROR\n')

        environment = load(tmp_path, {'ENV': 'test', 'LOG_LEVEL': 'WARNING'})

        assert environment.host == 'shared'
        assert environment.port == 2222
        assert environment.log_level == 'WARNING'

    def test_the_secrets_file_is_stronger_than_the_other_files(self, tmp_path: Path) -> None:
        write(tmp_path, '.env.staging', f'SECRET_KEY={"abcde" * 10}\nALLOWED_HOSTS=example.com\n')
        write(tmp_path, '.env.staging.secrets', f'SECRET_KEY={KEY}\nDATABASE_URL=sqlite:///x\n')

        environment = load(tmp_path, {'ENV': 'staging'})

        assert environment.secret_key.get_secret_value() == KEY

    def test_files_of_another_environment_are_not_read(self, tmp_path: Path) -> None:
        write(tmp_path, '.env.production', 'PORT=2222\n')

        assert load(tmp_path, {'ENV': 'test'}).port == 8000

    def test_a_variable_without_a_value_in_a_file_counts_as_absent(self, tmp_path: Path) -> None:
        write(tmp_path, '.env', 'PORT=1111\n')
        write(tmp_path, '.env.test', 'PORT\n')

        assert load(tmp_path, {'ENV': 'test'}).port == 1111

    def test_a_dollar_in_a_file_is_only_a_dollar(self, tmp_path: Path) -> None:
        write(tmp_path, '.env.test.secrets', f'SECRET_KEY={KEY}${{HOME}}\n')

        environment = load(tmp_path, {'ENV': 'test'})

        assert environment.secret_key.get_secret_value() == f'{KEY}${{HOME}}'

    def test_values_of_files_do_not_enter_the_process_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv('ENV', 'local')
        monkeypatch.delenv('SECRET_KEY', raising=False)
        write(tmp_path, '.env.local.secrets', f'SECRET_KEY={KEY}\n')
        before = dict(os.environ)

        environment = load(tmp_path)

        assert environment.secret_key.get_secret_value() == KEY
        assert dict(os.environ) == before


class TestEnv:
    def test_a_git_checkout_is_local(self, tmp_path: Path) -> None:
        (tmp_path / '.git').mkdir()

        assert load(tmp_path, {}).env == 'local'

    def test_a_git_worktree_is_local(self, tmp_path: Path) -> None:
        (tmp_path / '.git').write_text('gitdir: elsewhere\n')

        assert load(tmp_path, {}).env == 'local'

    def test_a_git_checkout_that_names_its_env_is_that(self, tmp_path: Path) -> None:
        (tmp_path / '.git').mkdir()

        assert load(tmp_path, {'ENV': 'staging', **DEPLOYED}).env == 'staging'

    def test_anything_else_refuses_to_start_without_env(self, tmp_path: Path) -> None:
        assert 'is not set' in mistakes_of(tmp_path)['ENV']

    def test_an_empty_env_is_not_set(self, tmp_path: Path) -> None:
        assert 'is not set' in mistakes_of(tmp_path, ENV='')['ENV']

    def test_an_unknown_env_is_refused_naming_those_that_exist(self, tmp_path: Path) -> None:
        mistake = mistakes_of(tmp_path, ENV='prod')['ENV']

        assert all(env in mistake for env in ENVIRONMENTS)

    @pytest.mark.parametrize('env', ENVIRONMENTS)
    def test_only_local_and_test_are_not_deployed(self, tmp_path: Path, env: str) -> None:
        assert load(tmp_path, {'ENV': env, **DEPLOYED}).is_deployed is (
            env not in {'local', 'test'}
        )

    def test_a_process_without_env_stops_before_it_serves(self, tmp_path: Path, run_python) -> None:
        code = 'import pathlib; from backstay.settings import load; load(pathlib.Path.cwd())'

        ran = run_python('-c', code, cwd=tmp_path, ENV=None)

        assert ran.returncode != 0
        assert 'ENV: is not set' in ran.stderr


class TestDeployed:
    @pytest.mark.parametrize('env', ['development', 'staging', 'production'])
    def test_a_missing_secret_stops_the_start(self, tmp_path: Path, env: str) -> None:
        assert 'is required' in mistakes_of(tmp_path, ENV=env, ALLOWED_HOSTS='h')['SECRET_KEY']

    @pytest.mark.parametrize('env', ['development', 'staging', 'production'])
    def test_missing_hosts_stop_the_start(self, tmp_path: Path, env: str) -> None:
        assert 'is required' in mistakes_of(tmp_path, ENV=env, SECRET_KEY=KEY)['ALLOWED_HOSTS']

    def test_no_secret_is_made_for_it(self, tmp_path: Path) -> None:
        mistakes_of(tmp_path, ENV='production')

        assert list(tmp_path.iterdir()) == []

    def test_a_git_checkout_does_not_relax_it(self, tmp_path: Path) -> None:
        (tmp_path / '.git').mkdir()

        assert set(mistakes_of(tmp_path, ENV='production')) == {
            'SECRET_KEY',
            'ALLOWED_HOSTS',
            'DATABASE_URL',
        }


class TestTheDatabase:
    """No site runs on a database that nobody chose."""

    @pytest.mark.parametrize('env', ['development', 'staging', 'production'])
    @pytest.mark.parametrize('given', [{}, {'DATABASE_URL': ''}])
    def test_has_to_be_named_where_strangers_come(
        self, tmp_path: Path, env: str, given: dict[str, str]
    ) -> None:
        rest = {name: value for name, value in DEPLOYED.items() if name != 'DATABASE_URL'}

        assert 'is required' in mistakes_of(tmp_path, ENV=env, **rest, **given)['DATABASE_URL']
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize('env', ['local', 'test'])
    def test_is_a_file_on_a_developers_machine(self, tmp_path: Path, env: str) -> None:
        url = load(tmp_path, {'ENV': env}).database_url.get_secret_value()

        assert url == 'sqlite:///var/db.sqlite3'

    @pytest.mark.parametrize('url', ['sqlite:///var/db.sqlite3', 'sqlite://:memory:'])
    def test_is_sqlite_in_production_only_when_that_is_said(self, tmp_path: Path, url: str) -> None:
        given = {**DEPLOYED, 'ENV': 'production', 'DATABASE_URL': url}

        mistakes = mistakes_of(tmp_path, **given)
        assert 'BACKSTAY_SQLITE_IN_PRODUCTION=1' in mistakes['DATABASE_URL']

        said = load(tmp_path, {**given, 'BACKSTAY_SQLITE_IN_PRODUCTION': '1'})
        assert said.database_url.get_secret_value() == url
        assert load(tmp_path, {**given, 'ENV': 'staging'}).env == 'staging'

    @pytest.mark.parametrize(
        ('missing', 'slip'),
        [
            ('DATABASE_URL', 'DATABSE_URL'),
            ('DATABASE_URL', 'DATABASE_URI'),
            ('SECRET_KEY', 'SECERT_KEY'),
            ('ALLOWED_HOSTS', 'ALLOWED_HOST'),
        ],
    )
    def test_and_what_else_is_missing_is_told_with_the_slip(
        self, tmp_path: Path, missing: str, slip: str
    ) -> None:
        given = {(slip if name == missing else name): value for name, value in DEPLOYED.items()}

        (mistake,) = mistakes_of(tmp_path, ENV='production', **given).values()
        assert f'({slip} is set, which nothing reads)' in mistake


class TestFiles:
    """A variable in a file is one that something reads."""

    @pytest.mark.parametrize('file', ['.env', '.env.test', '.env.test.secrets'])
    @pytest.mark.parametrize(
        ('slip', 'meant'),
        [
            ('DATABSE_URL', 'DATABASE_URL'),
            ('REDISURL', 'REDIS_URL'),
            ('LOGLEVEL', 'LOG_LEVEL'),
            ('SENTRY_DNS', 'SENTRY_DSN'),
            ('BACKSTAY_CONCURENCY', 'BACKSTAY_CONCURRENCY'),
        ],
    )
    def test_what_nothing_reads_is_told_with_the_nearest_name(
        self, tmp_path: Path, file: str, slip: str, meant: str
    ) -> None:
        write(tmp_path, file, f'{slip}=hunter2\n')

        (mistake,) = mistakes_of(tmp_path, ENV='test').items()
        assert mistake == (slip, f'in env/{file} is read by nothing; did you mean {meant}?')

    def test_what_is_near_nothing_is_told_as_well(self, tmp_path: Path) -> None:
        write(tmp_path, '.env', 'FRUIT=apple\n')

        assert mistakes_of(tmp_path, ENV='test') == {'FRUIT': 'in env/.env is read by nothing'}

    def test_env_is_not_chosen_by_a_file(self, tmp_path: Path) -> None:
        write(tmp_path, '.env', 'ENV=production\n')

        assert 'the process alone' in mistakes_of(tmp_path, ENV='test')['ENV']


class TestMistakes:
    def test_all_are_told_at_once(self, tmp_path: Path) -> None:
        mistakes = mistakes_of(
            tmp_path,
            ENV='production',
            PORT='eighty',
            LOG_LEVEL='LOUD',
            DATABASE_URL='mysql://u:p@h/d',
            CORS_ALLOWED_ORIGINS='*',
            BACKSTAY_CONCURRENCY='0',
            BACKSTAY_CONCURENCY='8',
            PROFILE='perhaps',
        )

        assert set(mistakes) == {
            'SECRET_KEY',
            'ALLOWED_HOSTS',
            'PORT',
            'LOG_LEVEL',
            'DATABASE_URL',
            'CORS_ALLOWED_ORIGINS',
            'BACKSTAY_CONCURRENCY',
            'BACKSTAY_CONCURENCY',
            'PROFILE',
        }

    @pytest.mark.parametrize(
        ('variable', 'value'),
        [
            ('SECRET_KEY', 'short-hunter2'),
            ('DATABASE_URL', 'mysql://u:hunter2@h/d'),
            ('DATABASE_URL', 'postgres://u:hunter2@h:port/d'),
            ('REDIS_URL', 'http://u:hunter2@h'),
            ('PORT', 'hunter2'),
            ('LOG_LEVEL', 'hunter2'),
            ('CORS_ALLOWED_ORIGINS', 'hunter2'),
            ('CSRF_TRUSTED_ORIGINS', 'hunter2'),
            ('BACKSTAY_METRICS_PATH', 'hunter2?'),
            ('BACKSTAY_UNKNOWN', 'hunter2'),
            ('ENV', 'hunter2'),
        ],
    )
    def test_the_variable_is_named_and_its_value_never_shown(
        self, tmp_path: Path, variable: str, value: str
    ) -> None:
        with pytest.raises(SettingsError) as caught:
            load(tmp_path, {'ENV': 'test', variable: value})

        shown = ''.join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert variable in caught.value.mistakes
        assert variable in str(caught.value)
        assert 'hunter2' not in shown

    def test_secrets_are_not_in_the_text_of_the_environment(self, tmp_path: Path) -> None:
        secrets = {
            'SECRET_KEY': f'hunter2{KEY}',
            'DATABASE_URL': 'postgres://u:hunter2@h/d',
            'REDIS_URL': 'redis://:hunter2@h',
        }

        assert 'hunter2' not in repr(load(tmp_path, {'ENV': 'test', **secrets}))

    def test_an_unknown_variable_of_backstay_is_one(self, tmp_path: Path) -> None:
        assert 'BACKSTAY_TYPO' in mistakes_of(tmp_path, ENV='test', BACKSTAY_TYPO='1')

    def test_an_unknown_variable_of_backstay_in_a_file_is_one(self, tmp_path: Path) -> None:
        write(tmp_path, '.env', 'BACKSTAY_TYPO=1\n')

        assert 'BACKSTAY_TYPO' in mistakes_of(tmp_path, ENV='test')

    def test_variables_of_others_are_none(self, tmp_path: Path) -> None:
        assert load(tmp_path, {'ENV': 'test', 'PATH': '/bin', 'PYTHONPATH': 'x'}).env == 'test'


class TestLists:
    @pytest.mark.parametrize(
        ('text', 'expected'),
        [
            ('', ()),
            ('a.example', ('a.example',)),
            ('a.example,b.example', ('a.example', 'b.example')),
            (' a.example , b.example ,', ('a.example', 'b.example')),
        ],
    )
    def test_are_separated_by_commas(
        self, tmp_path: Path, text: str, expected: tuple[str, ...]
    ) -> None:
        assert load(tmp_path, {'ENV': 'test', 'ALLOWED_HOSTS': text}).allowed_hosts == expected

    def test_of_origins_are_split_before_they_are_judged(self, tmp_path: Path) -> None:
        origins = 'https://a.example,http://localhost:3000'

        environment = load(tmp_path, {'ENV': 'test', 'CORS_ALLOWED_ORIGINS': origins})

        assert environment.cors_allowed_origins == ('https://a.example', 'http://localhost:3000')

    @pytest.mark.parametrize(
        'origin', ['*', 'a.example', 'https://a.example/', 'https://a.example/path', 'ftp://a']
    )
    def test_of_origins_hold_only_origins(self, tmp_path: Path, origin: str) -> None:
        mistakes = mistakes_of(tmp_path, ENV='test', CSRF_TRUSTED_ORIGINS=origin)

        assert set(mistakes) == {'CSRF_TRUSTED_ORIGINS'}


class TestProfile:
    def test_is_refused_in_production(self, tmp_path: Path) -> None:
        mistakes = mistakes_of(tmp_path, ENV='production', PROFILE='1', **DEPLOYED)

        assert 'BACKSTAY_PROFILE_IN_PRODUCTION' in mistakes['PROFILE']

    def test_is_allowed_in_production_when_said_twice(self, tmp_path: Path) -> None:
        said = {'PROFILE': '1', 'BACKSTAY_PROFILE_IN_PRODUCTION': '1'}

        assert load(tmp_path, {'ENV': 'production', **DEPLOYED, **said}).profile

    def test_with_a_permission_that_cannot_be_read_is_a_mistake_not_a_crash(
        self, tmp_path: Path
    ) -> None:
        said = {'PROFILE': '1', 'BACKSTAY_PROFILE_IN_PRODUCTION': 'perhaps'}

        mistakes = mistakes_of(tmp_path, ENV='production', **DEPLOYED, **said)

        assert 'BACKSTAY_PROFILE_IN_PRODUCTION' in mistakes

    @pytest.mark.parametrize('env', ['local', 'staging'])
    def test_is_allowed_elsewhere(self, tmp_path: Path, env: str) -> None:
        assert load(tmp_path, {'ENV': env, 'PROFILE': '1', **DEPLOYED}).profile


class TestDatabaseUrl:
    @pytest.mark.parametrize(
        'url',
        [
            'sqlite://:memory:',
            'sqlite:///var/db.sqlite3',
            'postgres://u@h:5432/d',
            'postgresql://u:p%40@h/d?sslmode=require',
        ],
    )
    def test_takes_sqlite_and_postgresql(self, tmp_path: Path, url: str) -> None:
        environment = load(tmp_path, {'ENV': 'test', 'DATABASE_URL': url})

        assert environment.database_url.get_secret_value() == url

    @pytest.mark.parametrize(
        'url',
        [
            'nonsense',
            'mysql://u@h/d',
            'oracle://u@h/d',
            'cockroach://u@h/d',
            'timescale://u@h/d',
            'postgres://u@h:port/d',
        ],
    )
    def test_refuses_everything_else(self, tmp_path: Path, url: str) -> None:
        mistakes = mistakes_of(tmp_path, ENV='test', DATABASE_URL=url)

        assert 'sqlite:///path' in mistakes['DATABASE_URL']


class TestRedisUrl:
    def test_is_absent_by_default(self, tmp_path: Path) -> None:
        assert load(tmp_path, {'ENV': 'test'}).redis_url is None

    def test_empty_is_absent(self, tmp_path: Path) -> None:
        assert load(tmp_path, {'ENV': 'test', 'REDIS_URL': ''}).redis_url is None

    @pytest.mark.parametrize('url', ['localhost:6379', 'http://h', 'redis//h'])
    def test_refuses_what_is_not_redis(self, tmp_path: Path, url: str) -> None:
        assert set(mistakes_of(tmp_path, ENV='test', REDIS_URL=url)) == {'REDIS_URL'}


class TestMetricsPath:
    @pytest.mark.parametrize(
        ('text', 'expected'), [('', ''), ('/', ''), ('/internal/metrics/', 'internal/metrics')]
    )
    def test_has_no_slashes_around_it(self, tmp_path: Path, text: str, expected: str) -> None:
        environment = load(tmp_path, {'ENV': 'test', 'BACKSTAY_METRICS_PATH': text})

        assert environment.metrics_path == expected


def test_the_environment_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    environment = load(tmp_path, {'ENV': 'test'})

    with pytest.raises(ValueError, match='frozen'):
        environment.port = 1


def test_every_variable_has_an_upper_case_name() -> None:
    names = [field.alias or '' for field in Environment.model_fields.values()]

    assert all(name == name.upper() and name for name in names)
    assert len(names) == len(set(names))


def test_older_secret_keys_are_read_in_their_order(tmp_path: Path) -> None:
    older = ('b' * 40, 'c' * 40)

    environment = load(tmp_path, {'ENV': 'test', 'SECRET_KEY_FALLBACKS': ', '.join(older)})

    assert tuple(key.get_secret_value() for key in environment.secret_key_fallbacks) == older
    assert 'b' * 40 not in repr(environment)


def test_an_older_secret_key_that_is_short_is_refused(tmp_path: Path) -> None:
    mistakes = mistakes_of(tmp_path, ENV='test', SECRET_KEY_FALLBACKS=f'{"b" * 40},short')

    assert '32 characters' in mistakes['SECRET_KEY_FALLBACKS']


def test_workflows_need_an_audience_of_this_site(tmp_path: Path) -> None:
    mistakes = mistakes_of(tmp_path, ENV='test', BACKSTAY_PIPELINE_OWNERS='7')

    assert 'the address of this site' in mistakes['BACKSTAY_PIPELINE_AUDIENCE']
    given = {'BACKSTAY_PIPELINE_OWNERS': '7', 'BACKSTAY_PIPELINE_AUDIENCE': 'https://x.example'}
    assert load(tmp_path, {'ENV': 'test', **given}).pipeline_audience == 'https://x.example'


@pytest.mark.parametrize(
    'text', ['', '14', '14w', '0d', 'staff=30m', '14d,14d', '14d,6=1h', '14d,4=1h,4=2h', '14d;4=1h']
)
@pytest.mark.parametrize('name', ['BACKSTAY_SESSION_IDLE', 'BACKSTAY_SESSION_LIFE'])
def test_limits_of_sessions_that_cannot_be_read_are_refused(
    tmp_path: Path, name: str, text: str
) -> None:
    assert [*mistakes_of(tmp_path, ENV='test', **{name: text})] == [name]


@pytest.mark.parametrize('env', ENVIRONMENTS)
def test_a_second_factor_is_demanded_of_staff_once_deployed(tmp_path: Path, env: str) -> None:
    expected = () if env in ('local', 'test') else ('staff',)
    given = {**DEPLOYED, 'ENV': env}

    assert load(tmp_path, given).second_factor == expected
    assert load(tmp_path, {**given, 'BACKSTAY_SECOND_FACTOR': ''}).second_factor == ()
    assert load(tmp_path, {**given, 'BACKSTAY_SECOND_FACTOR': '4'}).second_factor == ('4',)


@pytest.mark.parametrize('text', ['superuser', '0', '6', 'staff;4', '4+'])
def test_a_kind_of_account_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    mistakes = mistakes_of(tmp_path, ENV='test', BACKSTAY_SECOND_FACTOR=text)

    assert [*mistakes] == ['BACKSTAY_SECOND_FACTOR']
