"""`backstay beat`: enqueue the periodic tasks that are due, until told to stop."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from backstay.operations.side_port import answer_beside
from backstay.tasks.beat import Beat, beat
from backstay.tasks.worker import of_the_site


class Command(BaseCommand):
    """Keeps the clock of the periodic tasks, which `backstay work` keeps too where it runs."""

    help = 'Enqueue periodic tasks when they are due; SIGTERM and Ctrl-C end it.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the port of its health."""
        parser.add_argument('--health-port', type=int, help='where /livez, /readyz answer, on HOST')

    def handle(self, *_: Any, **options: Any) -> None:
        """Keep the clock until told to stop."""
        if port := options['health_port']:
            answer_beside(settings.BACKSTAY, port)
        beat(Beat(hand_over=of_the_site()['hand_over']))
