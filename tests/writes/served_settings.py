"""Settings of the lending library as a process of its own."""

from tests.django_settings import *  # noqa: F403 a settings module is a namespace

ROOT_URLCONF = 'tests.writes.served'
