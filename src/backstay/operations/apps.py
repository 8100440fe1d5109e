"""The Django app of the operations: its commands, and its one table."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """The commands and checks that run a site, beside its services."""

    name = 'backstay.operations'
    label = 'operations'
    verbose_name = 'Operations'
    default_auto_field = 'django.db.models.BigAutoField'

    def ready(self) -> None:
        from django.conf import settings
        from django.core.checks import Tags, register

        from backstay import origins
        from backstay.operations.checks import check_deployment
        from backstay.operations.reporting import report_failures

        origins.connect()
        register(check_deployment, Tags.security, deploy=True)
        report_failures(settings.BACKSTAY)
