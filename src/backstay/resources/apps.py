"""The Django app of the resources: start-up checks, connections, errors of the database."""

from django.apps import AppConfig
from django.core import checks
from django.db.backends.signals import connection_created


class ResourcesConfig(AppConfig):
    """Resources, declared on models and served as a REST API."""

    name = 'backstay.resources'
    label = 'resources'

    def ready(self) -> None:
        from backstay.engine import prepare
        from backstay.engine.moments import compare_moments
        from backstay.engine.problems import problem_of
        from backstay.errors import translators
        from backstay.resources.checks import check_resources
        from backstay.resources.order_indexes import check_orders

        connection_created.connect(prepare, dispatch_uid='backstay.engine')
        compare_moments()
        translators.append(problem_of)
        checks.register(check_resources, checks.Tags.models)
        checks.register(check_orders, checks.Tags.models, deploy=True)
