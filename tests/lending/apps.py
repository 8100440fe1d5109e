"""The Django app of the lending library."""

from django.apps import AppConfig


class LendingConfig(AppConfig):
    """Made by `migrate --run-syncdb`: the tests need no migrations of it."""

    name = 'tests.lending'
    label = 'lending'
    default_auto_field = 'django.db.models.BigAutoField'
