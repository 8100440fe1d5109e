"""What a site does not have, so that what can go wrong with it cannot go wrong here."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.test import Client

LOCK = Path(__file__).parents[2] / 'requirements' / 'run.lock'
#: What packages for it are called, by what they would bring.
PACKAGES = {
    'GraphQL': r'graphene|graphql|strawberry|ariadne',
    'LDAP': r'.*ldap.*',
    'LaTeX': r'.*(latex|pandoc).*',
    'OAuth servers': r'django-oauth-toolkit|authlib|.*oidc-provider.*',
    'SAML': r'.*saml.*|xmlsec',
    'SMS': r'twilio|vonage|.*sms.*|phonenumbers?',
    'SVG and images': r'pillow|cairosvg|svglib|wand',
    'WYSIWYG and markup of users': r'bleach|nh3|markdown.*|mistune|ckeditor|tinymce|docutils',
    'WebRTC': r'aiortc|.*webrtc.*|.*turn-?server.*',
    'WebSockets': r'channels|daphne|websockets?|wsproto|simple-websocket',
    'XML and XPath': r'lxml|defusedxml|elementpath|xmltodict',
    'memcached': r'pylibmc|pymemcache|python-memcached',
}


@pytest.mark.parametrize('kind', PACKAGES)
def test_no_package_brings_it(kind: str) -> None:
    named = re.findall(r'^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==', LOCK.read_text(), re.MULTILINE)

    assert len(named) > 30
    assert [name for name in named if re.fullmatch(PACKAGES[kind], name, re.IGNORECASE)] == []


def test_no_model_keeps_a_file() -> None:
    """No upload is stored, served, unpacked or run; a service that wants one adds its own view."""
    ours = [m for m in apps.get_models() if m.__module__.startswith(('backstay.', 'services.'))]
    files = [m for m in ours if any(isinstance(f, models.FileField) for f in m._meta.fields)]

    assert len(ours) > 15
    assert files == []
    assert 'MEDIA_ROOT' not in settings._explicit_settings


@pytest.mark.django_db
@pytest.mark.parametrize(
    'address',
    [
        '/.well-known/openid-configuration',
        '/.well-known/oauth-authorization-server',
        '/o/authorize/',
        '/oauth/token',
        '/auth/token',
        '/graphql',
        '/ws/',
        '/saml2/acs/',
    ],
)
def test_there_is_no_address_of_it(client: Client, address: str) -> None:
    assert client.get(address, headers={'Upgrade': 'websocket'}).status_code == 404
    assert client.post(address).status_code == 404


@pytest.mark.django_db
def test_there_is_no_account_before_somebody_makes_one() -> None:
    assert not apps.get_model(settings.AUTH_USER_MODEL).objects.exists()


def test_users_serve_no_other_sign_in_than_those_of_the_reference() -> None:
    """Ways of signing in are those that docs/reference/identity.md lists."""
    page = (LOCK.parents[1] / 'docs/reference/identity.md').read_text()
    classes = settings.REST_FRAMEWORK['DEFAULT_AUTHENTICATION_CLASSES']

    assert [each for each in classes if f'`{each.rpartition(".")[2]}`' not in page] == []
    assert settings.AUTHENTICATION_BACKENDS == ['backstay.identity.passwords.PasswordBackend']
