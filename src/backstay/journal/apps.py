"""The Django app of the journal."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    """What was changed, by whom, and whether it has yet to be told."""

    name = 'backstay.journal'
    label = 'journal'
    verbose_name = 'Journal'
    default_auto_field = 'django.db.models.BigAutoField'
