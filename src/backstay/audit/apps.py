"""The Django app of the audit."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """What became of accounts and their secrets, and who read what."""

    name = 'backstay.audit'
    label = 'audit'
    verbose_name = 'Audit'
    default_auto_field = 'django.db.models.BigAutoField'
