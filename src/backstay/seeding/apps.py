"""The Django app of seeding: its command, and its one table."""

from django.apps import AppConfig


class SeedingConfig(AppConfig):
    """Rows for trying, showing and measuring."""

    name = 'backstay.seeding'
    label = 'seeding'
    default_auto_field = 'django.db.models.BigAutoField'
