"""Django's settings for every Django contender; `BENCH_URLS` names the module of its URLs."""

import os

from bench import database

ROOT_URLCONF = os.environ['BENCH_URLS']
SECRET_KEY = 'not a secret: the bench serves made-up data on the loopback interface'
ALLOWED_HOSTS = ['127.0.0.1', 'localhost']
IS_OURS = ROOT_URLCONF.endswith('.backstay')
INSTALLED_APPS = ['bench.shop', *(['backstay.journal', 'backstay.resources'] if IS_OURS else [])]
MIDDLEWARE: list[str] = []
DATABASES = {'default': database.django_database()}
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
USE_TZ = True
TIME_ZONE = 'UTC'
LOGGING_CONFIG = None

#: Ours passes bytes through; DRF writes its JSON with orjson.
RENDERERS = {
    True: 'rest_framework.renderers.JSONRenderer',
    False: 'bench.peers.renderers.OrjsonRenderer',
}

if IS_OURS:
    from backstay.settings import Environment

    BACKSTAY = Environment.model_construct()

REST_FRAMEWORK = {
    'DEFAULT_AUTHENTICATION_CLASSES': [],
    'DEFAULT_PERMISSION_CLASSES': [],
    'UNAUTHENTICATED_USER': None,
    'DEFAULT_PARSER_CLASSES': [],
    'DEFAULT_RENDERER_CLASSES': [RENDERERS[IS_OURS]],
}
