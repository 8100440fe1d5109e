"""The Django app of the catalogue."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """Made by `migrate --run-syncdb`: the tests need no migrations of it."""

    name = 'tests.catalogue'
    label = 'catalogue'
    default_auto_field = 'django.db.models.BigAutoField'
