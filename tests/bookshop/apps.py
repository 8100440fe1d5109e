"""The Django app of the bookshop."""

from django.apps import AppConfig


class BookshopConfig(AppConfig):
    """Made by `migrate --run-syncdb`: the tests need no migrations of it."""

    name = 'tests.bookshop'
    label = 'bookshop'
    default_auto_field = 'django.db.models.BigAutoField'
