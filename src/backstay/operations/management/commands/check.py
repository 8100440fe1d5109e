"""`backstay check`: Django's checks, and whether migrations and the OpenAPI document are right."""

import io
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.commands import check
from drf_spectacular.drainage import GENERATOR_STATS

#: Options that choose among Django's checks: then nothing else is checked.
_CHOOSING = ('tags', 'list_tags', 'databases')


class Command(check.Command):
    """Everything is checked before it fails, so that one run tells all."""

    help = "Django's checks; models without migrations; the OpenAPI document of the site."

    def handle(self, *app_labels: Any, **options: Any) -> None:
        """Check."""
        if app_labels or any(options[name] for name in _CHOOSING):
            super().handle(*app_labels, **options)
            return
        failed = [name for name, run in self._parts(options) if not self._passes(name, run)]
        if failed:
            raise CommandError(f'failed: {", ".join(failed)}')

    def _parts(self, options: dict[str, Any]) -> Iterator[tuple[str, Callable[[], None]]]:
        yield 'system', lambda: check.Command.handle(self, **options)
        yield 'migrations', _check_migrations
        yield 'openapi', _check_document

    def _passes(self, name: str, run: Callable[[], None]) -> bool:
        try:
            run()
        except CommandError as error:
            self.stderr.write(f'{name}: {error}')
            return False
        self.stdout.write(f'{name}: ok')
        return True


def _check_migrations() -> None:
    """Raises CommandError with the changes of models that no migration makes."""
    told = io.StringIO()
    try:
        call_command('makemigrations', '--check', '--dry-run', '--noinput', stdout=told)
    except SystemExit:
        raise CommandError(f'{told.getvalue()}Write them: backstay makemigrations') from None


def _check_document() -> None:
    """Raises CommandError when drf-spectacular warns, or what it makes is no OpenAPI."""
    GENERATOR_STATS.reset()  # Django's checks for deployment make a document too
    call_command('spectacular', '--validate', '--fail-on-warn', stdout=io.StringIO())
