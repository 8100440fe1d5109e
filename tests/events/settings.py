"""The settings of the tests, for workers on the site of events."""

from tests.django_settings import *  # noqa: F403 a settings module is a namespace

ROOT_URLCONF = 'tests.events.site'
