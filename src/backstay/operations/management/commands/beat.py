"""`backstay beat`: enqueue the periodic tasks that are due, until told to stop."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from backstay.operations.side_port import answer_beside
from backstay.tasks.beat import Beat, beat
from backstay.tasks.worker import of_the_site


class Command(BaseCommand):
    """Keeps the clock of the periodic tasks. Where `backstay work` runs, that keeps it too."""

    help = 'Enqueue periodic tasks when they are due; SIGTERM and Ctrl-C end it.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where its health is asked for."""
        parser.add_argument('--health-port', type=int, help='where /livez, /readyz answer, on HOST')

    def handle(self, *_: Any, **options: Any) -> None:
        """Beat."""
        if port := options['health_port']:
            answer_beside(settings.BACKSTAY, port)
        beat(Beat(hand_over=of_the_site()['hand_over']))
