"""Resources in a Django project of one's own, which has none of the platform's other tables."""

import subprocess
import sys

_SITE = """
from django.conf import settings

settings.configure(
    INSTALLED_APPS=['backstay.journal', 'backstay.resources'],
    ROOT_URLCONF='backstay.resources.http.router',
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},
)
import django

django.setup()
from backstay.resources import Resource
from backstay.resources.http.router import ResourceRouter
"""


def test_resources_need_two_of_our_applications() -> None:
    ran = subprocess.run(  # noqa: S603 our own interpreter and text
        [sys.executable, '-c', _SITE], capture_output=True, text=True, timeout=60
    )

    assert ran.stderr == ''
