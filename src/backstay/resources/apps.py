"""The Django app of the resources: start-up checks, and SQLite's missing functions."""

from django.apps import AppConfig
from django.core import checks
from django.db.backends.signals import connection_created


class ResourcesConfig(AppConfig):
    """Resources, declared on models and served as a REST API."""

    name = 'backstay.resources'
    label = 'resources'

    def ready(self) -> None:
        from backstay.engine.sqlite import install
        from backstay.resources.checks import check_resources

        connection_created.connect(install, dispatch_uid='backstay.resources.sqlite')
        checks.register(check_resources, checks.Tags.models)
