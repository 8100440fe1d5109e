"""The Django app of the depot library."""

from django.apps import AppConfig


class DepotConfig(AppConfig):
    """Made by `migrate --run-syncdb`: the tests need no migrations of it."""

    name = 'tests.depot'
    label = 'depot'
    default_auto_field = 'django.db.models.BigAutoField'
