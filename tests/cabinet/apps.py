"""The Django app of the cabinet."""

from django.apps import AppConfig


class CabinetConfig(AppConfig):
    """Made by `migrate --run-syncdb`: the tests need no migrations of it."""

    name = 'tests.cabinet'
    label = 'cabinet'
    default_auto_field = 'django.db.models.BigAutoField'
