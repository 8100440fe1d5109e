"""Rendering: a template and answers become files; the same answers give the same bytes."""

import keyword
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from backstay.template import TemplateError

#: The template of this version of the package: `copier.yml` and the files in `service/`.
HERE = Path(__file__).parent

#: Folders of a service beside its package.
_FOLDERS = frozenset({'config', 'env', 'requirements', 'tests', 'var', 'wheels'})
_SWITCHES = {'true': True, 'yes': True, '1': True, 'false': False, 'no': False, '0': False}


def render(
    template: Path,
    into: Path,
    answers: Mapping[str, Any],
    *,
    version: str,
    ask: bool = False,
    reserved: Collection[str] = (),
) -> dict[str, Any]:
    """Write the files of `template` into a folder; return the answers to all its questions.

    A question without an answer gets its default, or is asked on the terminal with `ask`. No
    service may have one of the `reserved` names. Raises TemplateError for an answer that the
    template rejects, and for an answer to a question that it does not ask.
    """
    try:
        from copier import Settings, run_copy
        from copier.errors import CopierError
    except ImportError:
        raise TemplateError("copier is missing: pip install 'backstay[template]'") from None
    questions = questions_of(template)
    data = _parsed(questions, answers, ask=ask)
    try:
        worker = run_copy(
            str(template),
            into,
            data={**data, 'version': version, 'reserved': sorted(reserved)},
            settings=Settings(),  # not those of the person: the same bytes for everybody
            defaults=not ask,
            quiet=True,
            overwrite=True,
        )
    except KeyboardInterrupt:  # copier's own kind of it is a CopierError too
        raise KeyboardInterrupt from None
    except CopierError as error:
        raise TemplateError(str(error)) from None
    except ValueError as error:
        # `Validation error for question 'service': use ...` becomes `service: use ...`.
        words = "^(?:Validation error for question|Invalid choice for) '(.*?)': "
        raise TemplateError(re.sub(words, r'\1: ', str(error))) from None
    return {name: worker.answers.user[name] for name in questions}


def questions_of(template: Path) -> dict[str, dict[str, Any]]:
    """Return the questions of a template that take an answer, as in its `copier.yml`."""
    content: dict[str, Any] = yaml.safe_load((template / 'copier.yml').read_text())
    return {
        name: details
        for name, details in content.items()
        if not name.startswith('_') and details.get('when', True)
    }


def reserved_names() -> set[str]:
    """Return the names that a service cannot have: it would hide a package, or be hidden by it.

    They are the same wherever this runs: those of Python, and in `reserved.txt` those of every
    package that a service locks.
    """
    from backstay.settings.django import APPS

    labels = {app.rpartition('.')[2] for app in APPS}
    locked = (HERE / 'reserved.txt').read_text().split()
    return {*_FOLDERS, *keyword.kwlist, *sys.stdlib_module_names, *labels, *locked}


def _parsed(
    questions: Mapping[str, Mapping[str, Any]], answers: Mapping[str, Any], *, ask: bool
) -> dict[str, Any]:
    """Return the answers as copier takes them: its switches take any word but false for true.

    Raises TemplateError for an answer to no question, and for a missing one unless `ask` is set.
    """
    parsed = dict(answers)
    for name, value in answers.items():
        if name not in questions:
            raise TemplateError(f'there is no question {name}; there are: {", ".join(questions)}')
        if questions[name]['type'] == 'bool' and not isinstance(value, bool):
            parsed[name] = _SWITCHES.get(str(value).lower())
            if parsed[name] is None:
                raise TemplateError(f'{name}: give true or false, not {value}')
    required = [name for name, each in questions.items() if 'default' not in each]
    missing = [name for name in required if name not in parsed]
    if missing and not ask:
        commands = ' '.join(f'--data {name}=...' for name in missing)
        raise TemplateError(f'no answer for {" and ".join(missing)}; give {commands}')
    return parsed
