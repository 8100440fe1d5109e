"""Rendering: a template and answers become files. The same answers give the same bytes."""

import keyword
import sys
from collections.abc import Collection, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import yaml

from backstay.template import TemplateError

#: The template of this version of the package: `copier.yml`, and the files in `service/`.
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
    """Write the files of `template` into a folder; the answers of all its questions.

    A question without an answer gets its default, or is asked on the terminal with `ask`. No
    service may have one of the `reserved` names. Raises TemplateError for an answer that the
    template refuses, and for one to a question that it does not have.
    """
    try:
        from copier import Settings, run_copy
        from copier.errors import CopierError
    except ImportError:
        raise TemplateError("copier is missing: pip install 'backstay[template]'") from None
    questions = questions_of(template)
    data = {name: _parsed(questions, name, value) for name, value in answers.items()}
    if not ask:
        _refuse_missing(questions, data)
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
        raise TemplateError(_told(str(error))) from None
    return {name: worker.answers.user[name] for name in questions}


def questions_of(template: Path) -> dict[str, dict[str, Any]]:
    """The questions of a template that take an answer, as `copier.yml` has them."""
    content: dict[str, Any] = yaml.safe_load((template / 'copier.yml').read_text())
    return {
        name: details
        for name, details in content.items()
        if not name.startswith('_') and details.get('when', True)
    }


def reserved_names() -> set[str]:
    """Names of packages that a service would hide, or be hidden by."""
    from backstay.settings.django import APPS

    labels = {app.rpartition('.')[2] for app in APPS}
    return {
        *_FOLDERS,
        *keyword.kwlist,
        *sys.stdlib_module_names,
        *labels,
        *packages_distributions(),
    }


def _parsed(questions: Mapping[str, Mapping[str, Any]], name: str, value: Any) -> Any:
    """An answer as copier takes it: its own switches are true for any word that is not false."""
    if name not in questions:
        raise TemplateError(f'there is no question {name}; there are: {", ".join(questions)}')
    if questions[name]['type'] != 'bool' or isinstance(value, bool):
        return value
    if (switch := _SWITCHES.get(str(value).lower())) is None:
        raise TemplateError(f'{name}: give true or false, not {value}')
    return switch


def _refuse_missing(questions: Mapping[str, Mapping[str, Any]], given: Collection[str]) -> None:
    missing = [name for name, each in questions.items() if 'default' not in each]
    if missing := [name for name in missing if name not in given]:
        commands = ' '.join(f'--data {name}=...' for name in missing)
        raise TemplateError(f'no answer for {" and ".join(missing)}; give {commands}')


def _told(fault: str) -> str:
    """`Validation error for question 'service': use ...` as `service: use ...`."""
    for words in ("Validation error for question '", "Invalid choice for '"):
        if fault.startswith(words):
            name, _, rest = fault.removeprefix(words).partition("': ")
            return f'{name}: {rest}'
    return fault
