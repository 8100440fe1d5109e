"""The settings of the peer: our accounts and tables, and the middleware of `startproject`."""

from config.settings import *  # noqa: F403 a settings module is a namespace
from config.settings import AUTHENTICATION_BACKENDS, INSTALLED_APPS

ROOT_URLCONF = 'bench.codereview.peer'
# The tables and accounts of our site want its apps; its admin pages are not there.
INSTALLED_APPS = [
    each.replace('contrib.admin', 'contrib.admin.apps.SimpleAdminConfig') for each in INSTALLED_APPS
]
MIDDLEWARE = [
    'django.middleware.security.SecurityMiddleware',
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    'allauth.account.middleware.AccountMiddleware',  # its app insists; it does next to nothing
    'django.contrib.messages.middleware.MessageMiddleware',
    'django.middleware.clickjacking.XFrameOptionsMiddleware',
]
# The session is one of our site, which wants its own.
AUTHENTICATION_BACKENDS = ['django.contrib.auth.backends.ModelBackend', *AUTHENTICATION_BACKENDS]
REST_FRAMEWORK = {
    'DEFAULT_AUTHENTICATION_CLASSES': ['rest_framework.authentication.BasicAuthentication'],
    'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAuthenticatedOrReadOnly'],
    'DEFAULT_RENDERER_CLASSES': ['rest_framework.renderers.JSONRenderer'],
    'DEFAULT_PAGINATION_CLASS': 'rest_framework.pagination.LimitOffsetPagination',
    'PAGE_SIZE': 50,
}
