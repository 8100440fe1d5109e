"""`backstay graph_models`: the diagram of the models, for the documents."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand

from services.codereview.diagram import diagram


class Command(BaseCommand):
    """Draws what code review stores."""

    help = 'Print the models of code review as a diagram of Mermaid.'
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        """Print it."""
        models = apps.get_app_config('codereview').get_models()
        self.stdout.write(diagram(models), ending='')
