"""`backstay new`, `update`, `doctor` and `add`: their arguments, and the texts that they print."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO, get_args

from backstay.template import TemplateError
from backstay.template.adding import add_resource
from backstay.template.doctor import examine
from backstay.template.findings import Kind
from backstay.template.new import Order, new
from backstay.template.stamp import NAME
from backstay.template.update import abort, finish, update


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands and return the exit code: 2 for a mistake in what was typed."""
    parser = argparse.ArgumentParser(prog='backstay')
    commands = parser.add_subparsers(required=True, metavar='command')
    _add_new(commands.add_parser('new', help='write a new service'))
    _add_update(commands.add_parser('update', help='bring in what the template has changed'))
    _add_doctor(commands.add_parser('doctor', help='tell what is behind, misconfigured or unsafe'))
    _add_add(commands.add_parser('add', help='add a resource'))
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except TemplateError as error:
        _say(f'backstay {arguments[0]}: {error}', to=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _add_new(parser: argparse.ArgumentParser) -> None:
    parser.description = 'Write a new service: {organisation}-{service}-backend.'
    parser.add_argument('folder', nargs='?', type=Path, help='where; a new folder of that name')
    parser.add_argument('--yes', action='store_true', help='ask nothing; take the defaults')
    _add_data(parser)
    parser.add_argument('--no-example', action='store_true', help='leave out the resource Fruit')
    parser.add_argument(
        '--backstay',
        type=Path,
        metavar='WHEEL',
        help='the wheel of this version, for services that do not get it from an index',
    )
    parser.set_defaults(run=_new)


def _new(options: argparse.Namespace) -> int:
    answers = _answers(options.data)
    if options.no_example:
        answers['example'] = False
    folder = new(
        Order(
            folder=options.folder,
            answers=answers,
            ask=not options.yes and sys.stdin.isatty(),
            wheel=options.backstay,
        )
    )
    _say(
        f'Wrote {folder}. Go on with:',
        f'  cd {shlex.quote(str(folder))}',
        '  make test   # the first time it makes the lock files: commit them',
        '  make run',
    )
    return 0


def _add_update(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        'Merge what the template of the installed backstay has changed into the service in this '
        'folder, which must have nothing uncommitted.'
    )
    parser.add_argument('folder', nargs='?', type=Path, default=Path(), help='of the service')
    _add_data(parser)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        '--continue', dest='way', action='store_const', const='continue', help='after conflicts'
    )
    ways.add_argument(
        '--abort', dest='way', action='store_const', const='abort', help='undo it, with conflicts'
    )
    parser.add_argument(
        '--stash',
        action='store_true',
        help='with --abort: what you changed since goes there',
    )
    parser.set_defaults(run=_update)


def _update(options: argparse.Namespace) -> int:
    """Update, or end an update; the exit code is 1 while there are conflicts."""
    if options.stash and options.way != 'abort':
        raise TemplateError('--stash goes with --abort')
    if options.way == 'abort':
        if kept := abort(options.folder, stash=options.stash):
            _say(f'In the stash, for `git stash apply`: {", ".join(kept)}')
        _say('The service is as it was.')
        return 0
    if options.way == 'continue':
        done = finish(options.folder)
    else:
        done = update(options.folder, _answers(options.data))
    versions = f'from {done.before.version} to {done.after.version}'
    if done.left_out:
        _say(
            f'Changed by the template, deleted by you, and so left out: {", ".join(done.left_out)}'
        )
    if done.conflicts:
        _say(
            f'Updated {versions}, with conflicts in:',
            *(f'  {path}' for path in done.conflicts),
            'Resolve them and `git add` the files, then `backstay update --continue`;',
            'or `backstay update --abort`.',
        )
        return 1
    if done.after == done.before:
        _say(f'The service follows the template of {done.after.version}: nothing to do.')
        return 0
    _say(
        f'Updated {versions}: {len(done.changed)} files. {NAME} says so.',
        'Look at it with `git diff --staged`; then `make lock`, `make check`, and commit.',
    )
    return 0


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        'Tell what of the service in this folder is behind, misconfigured or unsafe, and what '
        'mends it. The exit code is 1 when there is anything.'
    )
    parser.add_argument('folder', nargs='?', type=Path, default=Path(), help='of the service')
    parser.add_argument(
        '--ignore', action='append', default=[], choices=get_args(Kind), help='a kind of finding'
    )
    parser.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    findings = examine(options.folder, ignore=options.ignore)
    for finding in findings:
        _say(f'{finding.kind}: {finding.what}', f'    mend: {finding.mend}')
    _say(f'Findings: {len(findings)}.' if findings else 'Nothing is wrong.')
    return 1 if findings else 0


def _add_add(parser: argparse.ArgumentParser) -> None:
    parser.description = 'Add something to the service in this folder.'
    what = parser.add_subparsers(required=True, metavar='what')
    resource = what.add_parser(
        'resource', help='a model with its resource, address, migration, seeds and tests'
    )
    resource.add_argument('name', help='of one of them, such as invoice or line-item')
    resource.add_argument('--plural', default='', help='of several; invoices or line-items')
    resource.set_defaults(run=_add_resource)


def _add_resource(options: argparse.Namespace) -> int:
    added = add_resource(Path(), options.name, plural=options.plural)
    _say(
        f'Added {added.noun.model}, at /{added.noun.plural}/:',
        *(f'  {name}' for name in added.files),
        'It has a name and nothing else: go on in models.py, then `backstay makemigrations`.',
    )
    return 0


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--data',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='an answer; the questions are in docs/reference/template.md',
    )


def _answers(given: Sequence[str]) -> dict[str, Any]:
    pairs = [each.partition('=') for each in given]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise TemplateError(f'--data {wrong[0]}: give NAME=VALUE')
    return {name: value for name, _, value in pairs}


def _say(*lines: str, to: TextIO | None = None) -> None:
    print(*lines, sep='\n', file=to or sys.stdout)
