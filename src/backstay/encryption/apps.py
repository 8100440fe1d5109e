"""The Django app of encrypted columns: its keys, its checks and its command."""

from django.apps import AppConfig
from django.core import checks


class EncryptionConfig(AppConfig):
    """Columns that are stored only as ciphertext."""

    name = 'backstay.encryption'
    label = 'encryption'
    default_auto_field = 'django.db.models.BigAutoField'

    def ready(self) -> None:
        from backstay.encryption.checks import check_contexts

        checks.register(check_contexts, checks.Tags.models)
