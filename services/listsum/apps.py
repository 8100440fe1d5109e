"""The Django app of list-sum. It has no models: nothing is stored."""

from django.apps import AppConfig


class ListSumConfig(AppConfig):
    """Makes the command `sum` known."""

    name = 'services.listsum'
    label = 'listsum'
