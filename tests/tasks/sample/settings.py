"""The settings of the tests, and this app: its module `tasks` is found by itself."""

from tests.django_settings import *  # noqa: F403 a settings module is a namespace
from tests.django_settings import INSTALLED_APPS as TESTED_APPS

INSTALLED_APPS = [*TESTED_APPS, 'tests.tasks.sample']
