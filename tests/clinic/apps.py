"""The Django app of the clinic."""

from django.apps import AppConfig


class ClinicConfig(AppConfig):
    """Made by `migrate --run-syncdb`: the tests need no migrations of it."""

    name = 'tests.clinic'
    label = 'clinic'
    default_auto_field = 'django.db.models.BigAutoField'
