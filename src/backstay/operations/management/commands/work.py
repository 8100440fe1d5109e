"""`backstay work`: run the tasks that are due, until told to stop."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from backstay.operations.checkpoints import keep_log_short
from backstay.operations.poolers import refuse_unknown_pooler
from backstay.operations.side_port import answer_beside
from backstay.tasks.worker import Worker, of_the_site, work


class Command(BaseCommand):
    """Runs tasks. Any number of them may run, on any number of machines."""

    help = 'Run tasks; SIGTERM and Ctrl-C end it after those that run, for as long as its grace.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of queues, threads and times."""
        parser.add_argument(
            '--queue', action='append', default=[], help='only this queue; may be given again'
        )
        parser.add_argument(
            '--threads', type=int, help='tasks that run at once; BACKSTAY_CONCURRENCY'
        )
        parser.add_argument(
            '--lease',
            type=float,
            default=60,
            help='seconds after which the tasks of a worker that died run again; 60',
        )
        parser.add_argument(
            '--grace', type=float, default=25, help='seconds that tasks have to end in; 25'
        )
        parser.add_argument(
            '--drain', action='store_true', help='run what is due, and stop when nothing is left'
        )
        parser.add_argument(
            '--no-beat', action='store_true', help='leave the periodic tasks to `backstay beat`'
        )
        parser.add_argument(
            '--health-port', type=int, help='where /livez, /readyz and the metrics answer, on HOST'
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Run tasks until told to stop."""
        refuse_unknown_pooler()
        if port := options['health_port']:
            answer_beside(settings.BACKSTAY, port)
        keep_log_short()
        given = {'threads': options['threads']} if options['threads'] else {}
        worker = Worker(
            queues=tuple(options['queue']),
            lease=options['lease'],
            grace=options['grace'],
            beats=not options['no_beat'],
            **{**of_the_site(), **given},
        )
        work(worker, drain=options['drain'])
