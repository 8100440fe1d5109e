"""Django's settings, made from the environment and the mounted services."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dj_database_url

from backstay.services import find
from backstay.settings import identity
from backstay.settings.environment import Environment, SettingsError

_PROBE_PATHS = (r'^livez$', r'^readyz$', r'^__(version|heartbeat|lbheartbeat)__/?$')


def django_settings(
    environment: Environment, *, base_dir: Path, services: Mapping[str, str]
) -> dict[str, Any]:
    """Return every Django setting of a site.

    `services` maps the names of all services of the site to their modules; the environment's
    SERVICES chooses among them. Raises SettingsError for a service that does not exist.
    """
    try:
        mounted = find(services, environment.services)
    except LookupError as error:
        raise SettingsError({'SERVICES': str(error.args[0])}) from None
    spectacular = dict(_SPECTACULAR)
    if len(mounted) == 1:  # its documentation is that of the site
        (only,) = mounted
        spectacular |= {'TITLE': only.title, 'DESCRIPTION': only.description}
        spectacular['VERSION'] = only.version
    made: dict[str, Any] = {
        'BASE_DIR': base_dir,
        'BACKSTAY': environment,
        'BACKSTAY_SERVICES': mounted,
        'ROOT_URLCONF': 'backstay.site.urls',
        'WSGI_APPLICATION': 'backstay.site.wsgi.application',
        'INSTALLED_APPS': [*APPS, *(app for service in mounted for app in service.apps)],
        'MIDDLEWARE': _middleware(environment),
        'TEMPLATES': [_TEMPLATES],
        'DATABASES': {'default': _database(environment, base_dir)},
        'DEFAULT_AUTO_FIELD': 'django.db.models.BigAutoField',
        'CACHES': {'default': _cache(environment)},
        'LANGUAGE_CODE': 'en-us',
        'TIME_ZONE': 'UTC',
        'USE_TZ': True,
        'STATIC_URL': '/static/',
        'STATIC_ROOT': base_dir / 'var' / 'static',
        'APPEND_SLASH': True,
        'DATA_UPLOAD_MAX_MEMORY_SIZE': None,  # BodyLimitMiddleware decides, per view
        'LOGGING_CONFIG': 'backstay.operations.logs.configure',
        'LOGGING': {'as_json': environment.env != 'local', 'level': environment.log_level},
        'REST_FRAMEWORK': _REST_FRAMEWORK | identity.throttles(environment),
        'SPECTACULAR_SETTINGS': spectacular,
        'TASKS': {'default': {'BACKEND': _TASKS[environment.tasks], 'QUEUES': []}},  # any queue
        'CORS_ALLOWED_ORIGINS': list(environment.cors_allowed_origins),
        **identity.identity_settings(environment, str(spectacular['TITLE'])),
        **_security(environment),
    }
    for service in mounted:
        made.update(service.settings)
    return made


APPS = (
    'backstay.resources.admin.apps.LateAdminConfig',
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
    'django.contrib.messages',
    'django.contrib.staticfiles',
    'corsheaders',
    'rest_framework',
    'drf_spectacular',
    'drf_spectacular_sidecar',
    *identity.APPS,
    'backstay.audit',
    'backstay.encryption',
    'backstay.events',
    'backstay.journal',
    'backstay.operations',
    'backstay.resources',
    'backstay.seeding',
    'backstay.tasks',
)

_TASKS = {
    'database': 'backstay.tasks.backend.DatabaseBackend',
    'celery': 'backstay.tasks.celery.CeleryBackend',
}

_TEMPLATES = {
    'BACKEND': 'django.template.backends.django.DjangoTemplates',
    'APP_DIRS': True,
    'OPTIONS': {
        'context_processors': [
            'django.template.context_processors.request',
            'django.contrib.auth.context_processors.auth',
            'django.contrib.messages.context_processors.messages',
        ],
    },
}

_REST_FRAMEWORK = {
    'EXCEPTION_HANDLER': 'backstay.errors.exception_handler',
    'DEFAULT_SCHEMA_CLASS': 'backstay.resources.openapi.auto_schema.ResourceSchema',
    'DEFAULT_RENDERER_CLASSES': ['rest_framework.renderers.JSONRenderer'],
    'DEFAULT_CONTENT_NEGOTIATION_CLASS': 'backstay.negotiation.Negotiation',
    'DEFAULT_PARSER_CLASSES': ['rest_framework.parsers.JSONParser'],
    'DEFAULT_AUTHENTICATION_CLASSES': identity.AUTHENTICATION_CLASSES,
    'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAuthenticated'],
    'DEFAULT_THROTTLE_RATES': identity.THROTTLE_RATES,
    'TEST_REQUEST_DEFAULT_FORMAT': 'json',
}

_SPECTACULAR = {
    'OAS_VERSION': '3.1.0',
    'TITLE': 'Backstay',
    'DESCRIPTION': 'Every service that this site mounts.',
    'VERSION': '1.0.0',
    'DEFAULT_GENERATOR_CLASS': 'backstay.resources.openapi.generator.DocumentGenerator',
    'SERVE_INCLUDE_SCHEMA': False,
    'EXTERNAL_DOCS': {'description': 'How to sign in', 'url': '/auth/openapi.json'},
    'SERVE_PERMISSIONS': ['rest_framework.permissions.AllowAny'],
    'SWAGGER_UI_DIST': 'SIDECAR',
    'SWAGGER_UI_FAVICON_HREF': 'SIDECAR',
    'POSTPROCESSING_HOOKS': [
        'drf_spectacular.hooks.postprocess_schema_enums',
        'backstay.docs.describe_problems',
        'backstay.resources.openapi.shared_parts.share_parts',
    ],
}


def _middleware(environment: Environment) -> list[str]:
    """Return the middleware in the order in which a request passes them."""
    return [
        'backstay.operations.requests.RequestMiddleware',
        *(['backstay.operations.profiling.ProfilingMiddleware'] if environment.profile else []),
        'django.middleware.security.SecurityMiddleware',
        'backstay.operations.headers.ContentSecurityMiddleware',
        'whitenoise.middleware.WhiteNoiseMiddleware',
        'corsheaders.middleware.CorsMiddleware',
        'django.contrib.sessions.middleware.SessionMiddleware',
        'backstay.payloads.CharsetMiddleware',  # before whatever reads the address or a form
        'backstay.operations.slashes.SlashMiddleware',
        'backstay.payloads.BodyLimitMiddleware',  # before CSRF, which reads forms
        'django.middleware.csrf.CsrfViewMiddleware',
        'django.contrib.auth.middleware.AuthenticationMiddleware',
        *identity.MIDDLEWARE,
        'django.contrib.messages.middleware.MessageMiddleware',
        'django.middleware.clickjacking.XFrameOptionsMiddleware',
    ]


def _database(environment: Environment, base_dir: Path) -> dict[str, Any]:
    database: dict[str, Any] = dict(
        dj_database_url.parse(environment.database_url.get_secret_value())
    )
    options = dict(database.get('OPTIONS', {}))
    if database['ENGINE'].endswith('sqlite3'):
        if database['NAME'] != ':memory:':
            database['NAME'] = base_dir / database['NAME']
            database['NAME'].parent.mkdir(parents=True, exist_ok=True)
            if not database['NAME'].exists():  # SQLite would let everybody read it
                database['NAME'].touch(mode=0o600)
        # WAL lets readers and one writer work at once; IMMEDIATE takes the write lock at BEGIN,
        # so that a transaction waits for its turn instead of failing when it first writes.
        options = {
            'timeout': 5,
            'transaction_mode': 'IMMEDIATE',
            'init_command': (
                'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;'
                'PRAGMA journal_size_limit=67108864;'
            ),
            **options,
        }
    else:
        # The pool has a connection for each thread: a thread waits only when the server gives none,
        # and then neither the request nor the pool waits for long.
        pool = {'min_size': 1, 'max_size': environment.concurrency}
        pool |= {'timeout': 1, 'reconnect_timeout': 2}
        options = {'pool': pool, 'connect_timeout': 2, **options}
        # A cursor outlives its transaction only in a session of one's own.
        database['DISABLE_SERVER_SIDE_CURSORS'] = environment.pooler == 'transaction'
    return {**database, 'OPTIONS': options}


def _cache(environment: Environment) -> dict[str, Any]:
    if environment.redis_url is None:
        return {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}
    return {
        'BACKEND': 'django.core.cache.backends.redis.RedisCache',
        'LOCATION': environment.redis_url.get_secret_value(),
        'OPTIONS': {'socket_connect_timeout': 1, 'socket_timeout': 1},
    }


def _security(environment: Environment) -> dict[str, Any]:
    """Return the settings of secrets, hosts and cookies; HTTPS is required once deployed."""
    deployed = environment.is_deployed
    # Probes and the scraper of metrics come from inside the network, without HTTPS.
    plain = [*_PROBE_PATHS]
    if environment.metrics_path:
        plain.append(f'^{re.escape(environment.metrics_path)}$')
    year = 365 * 24 * 3600
    return {
        'SECRET_KEY': environment.secret_key.get_secret_value(),
        'SECRET_KEY_FALLBACKS': [
            key.get_secret_value() for key in environment.secret_key_fallbacks
        ],
        'DEBUG': False,  # nowhere: it would change answers; tracebacks go to the log
        'ALLOWED_HOSTS': [*environment.allowed_hosts]
        or ['localhost', '127.0.0.1', '[::1]', 'testserver'],
        'CSRF_TRUSTED_ORIGINS': list(environment.csrf_trusted_origins),
        'CSRF_FAILURE_VIEW': 'backstay.errors.csrf_failure',
        'CSRF_COOKIE_SECURE': deployed,
        'SESSION_COOKIE_SECURE': deployed,
        # The prefix binds a cookie to this host and to HTTPS (RFC 6265bis 4.1.3).
        'CSRF_COOKIE_NAME': f'{"__Host-" if deployed else ""}csrftoken',
        'SESSION_COOKIE_NAME': f'{"__Host-" if deployed else ""}sessionid',
        'MESSAGE_STORAGE': 'django.contrib.messages.storage.session.SessionStorage',
        'SECURE_SSL_REDIRECT': deployed,
        'SECURE_REDIRECT_EXEMPT': plain,
        'SECURE_HSTS_SECONDS': year if deployed and environment.hsts != 'off' else 0,
        'SECURE_HSTS_INCLUDE_SUBDOMAINS': deployed and environment.hsts in _WITH_SUBDOMAINS,
        'SECURE_HSTS_PRELOAD': deployed and environment.hsts == 'preload',
        # Said in so many words, which Django's checks need not repeat.
        'SILENCED_SYSTEM_CHECKS': _SAID[environment.hsts],
        'SECURE_REFERRER_POLICY': 'same-origin',
        'X_FRAME_OPTIONS': 'DENY',
        'WHITENOISE_USE_FINDERS': not deployed,
        'WHITENOISE_AUTOREFRESH': not deployed,
        'STORAGES': {
            'default': {'BACKEND': 'django.core.files.storage.FileSystemStorage'},
            'staticfiles': {'BACKEND': _STATIC_STORAGE[deployed]},
        },
    }


_WITH_SUBDOMAINS = ('subdomains', 'preload')
_SAID = {
    'off': ['security.W004'],
    'host': ['security.W005', 'security.W021'],
    'subdomains': ['security.W021'],
    'preload': [],
}

_STATIC_STORAGE = {
    True: 'whitenoise.storage.CompressedManifestStaticFilesStorage',
    False: 'django.contrib.staticfiles.storage.StaticFilesStorage',
}
