"""Demo data of the sample service: one more group each time it is loaded."""

from django.contrib.auth.models import Group


def load() -> None:
    """Add a group."""
    Group.objects.create(name=f'demo {Group.objects.count() + 1}')
