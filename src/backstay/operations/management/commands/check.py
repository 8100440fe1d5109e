"""`backstay check`: Django's checks, and whether migrations and the OpenAPI document are right."""

import io
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.commands import check
from drf_spectacular.drainage import GENERATOR_STATS
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry

#: Options that choose among Django's checks: then nothing else is checked.
_CHOOSING = ('tags', 'list_tags', 'databases')


class Command(check.Command):
    """Checks everything before it fails, so that one run reports all mistakes."""

    help = "Django's checks; models without migrations; the OpenAPI document of the site."

    def handle(self, *app_labels: Any, **options: Any) -> None:
        """Run every check, or only Django's when options choose among them."""
        if app_labels or any(options[name] for name in _CHOOSING):
            super().handle(*app_labels, **options)
            return
        parts: dict[str, Callable[[], None]] = {
            'system': lambda: check.Command.handle(self, **options),
            'migrations': _check_migrations,
            'openapi': _check_document,
        }
        failed = []
        for name, run in parts.items():
            try:
                run()
            except CommandError as error:
                self.stderr.write(f'{name}: {error}')
                failed.append(name)
            else:
                self.stdout.write(f'{name}: ok')
        if failed:
            raise CommandError(f'failed: {", ".join(failed)}')


def _check_migrations() -> None:
    """Raise CommandError with the changes of models that no migration makes."""
    told = io.StringIO()
    try:
        call_command('makemigrations', '--check', '--dry-run', '--noinput', stdout=told)
    except SystemExit:
        raise CommandError(f'{told.getvalue()}Write them: backstay makemigrations') from None


def _check_document() -> None:
    """Raise CommandError when drf-spectacular warns, or its document is not valid OpenAPI."""
    GENERATOR_STATS.reset()  # Django's checks for deployment make a document too
    made = io.StringIO()
    call_command('spectacular', '--fail-on-warn', '--format', 'openapi-json', stdout=made)
    # Its own `--validate` looks for the anchors of the schema again at each of hundreds of
    # references: two seconds instead of half of one.
    text = (files('drf_spectacular.validation') / 'openapi_3_1_schema.json').read_text()
    schema = json.loads(text)
    known = Registry().with_contents([(schema['$id'], schema)]).crawl()
    errors = Draft202012Validator(schema, registry=known).iter_errors(json.loads(made.getvalue()))
    if error := best_match(errors):  # type: ignore[no-untyped-call]
        raise CommandError(f'{error.json_path}: {error.message}')
