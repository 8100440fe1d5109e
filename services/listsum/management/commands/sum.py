"""`backstay sum`: the search of list-sum on the command line."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import ValidationError

from services.listsum.bodies import validate
from services.listsum.sums import has_sum

_OPTIONS = {'list_a': '--a', 'list_b': '--b', 'target': '--target'}
_SHOWN = 10


class Command(BaseCommand):
    """Prints `true` or `false`. Leaves with 0 for both, with 2 when the numbers are no numbers."""

    help = 'Print whether the target is a sum of one number from each of two lists.'
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the two lists and the target."""
        where = 'numbers between commas or spaces, @file, or - for standard input'
        parser.add_argument('--a', required=True, help=f'the first list: {where}')
        parser.add_argument('--b', required=True, help=f'the second list: {where}')
        parser.add_argument('--target', required=True, help='the sum to look for')

    def handle(self, *, a: str, b: str, target: str, **_: Any) -> None:
        """Print the answer."""
        given = {'list_a': _numbers(a), 'list_b': _numbers(b), 'target': target}
        try:
            lists = validate(given)
        except ValidationError as error:
            raise CommandError(_told(error), returncode=2) from None
        found = has_sum(lists.list_a, lists.list_b, lists.target)
        self.stdout.write('true' if found else 'false')


def _numbers(source: str) -> list[str]:
    """The texts of the numbers in an option. Raises CommandError for a file that is no text."""
    try:
        if source == '-':
            source = sys.stdin.read()
        elif source.startswith('@'):
            source = Path(source[1:]).read_text()
    except OSError as error:
        raise CommandError(f'{source[1:]}: {error.strerror}', returncode=2) from None
    except UnicodeDecodeError:
        raise CommandError(f'{source.lstrip("@")}: not a text', returncode=2) from None
    return source.replace(',', ' ').split()


def _told(error: ValidationError) -> str:
    """One line for each of the first faults: where it is and what was expected."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False)[:_SHOWN]:
        name, *rest = fault['loc']
        place = ''.join(f', number {int(index) + 1}' for index in rest)
        lines.append(f'{_OPTIONS[str(name)]}{place}: {fault["msg"]}')
    if error.error_count() > _SHOWN:
        lines.append('and more')
    return '\n'.join(lines)
