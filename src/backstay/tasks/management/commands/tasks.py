"""`backstay tasks list|retry|discard`: dead letters from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backstay.tasks.models import Job, JobState


class Command(BaseCommand):
    """Lists dead letters, queues them anew, and deletes them."""

    help = __doc__ or ''

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb each."""
        verbs = parser.add_subparsers(dest='verb', required=True, metavar='list|retry|discard')
        verbs.add_parser('list', help='the dead letters, the newest first')
        for verb, text in (('retry', 'queue dead letters anew'), ('discard', 'delete them')):
            named = verbs.add_parser(verb, help=text)
            named.add_argument('id', type=int, nargs='+', help='as `backstay tasks list` shows it')

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it."""
        getattr(self, f'_{options["verb"]}')(options)

    def _list(self, _: dict[str, Any]) -> None:
        for job in Job.objects.filter(state=JobState.DEAD).iterator():
            when = f'{job.finished_at:%Y-%m-%d %H:%M}'
            self.stdout.write(f'{job.pk}  {when}  {job.task}  {job.exception}')

    def _retry(self, options: dict[str, Any]) -> None:
        self.stdout.write(f'{Job.retry(self._dead(options))} queued.')

    def _discard(self, options: dict[str, Any]) -> None:
        self.stdout.write(f'{self._dead(options).delete()[0]} discarded.')

    def _dead(self, options: dict[str, Any]) -> Any:
        """The dead letters of these ids; all of them or none."""
        found = Job.objects.filter(pk__in=options['id'], state=JobState.DEAD)
        missing = sorted({*options['id']} - {*found.values_list('pk', flat=True)})
        if missing:
            raise CommandError(f'no dead letter: {", ".join(map(str, missing))}')
        return found
