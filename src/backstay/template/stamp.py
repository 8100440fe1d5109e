"""The stamp of a service: the version of the template that wrote it, and its answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from backstay.template import TemplateError

NAME = '.backstay.yaml'
_HEADER = '# What wrote this service, and with which answers. `backstay update` keeps it.\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The content of `.backstay.yaml`."""

    #: Of the package whose template the files follow.
    version: str
    #: By name of the question.
    answers: Mapping[str, Any]

    def text(self) -> str:
        """Return the text of the file; it is the same for the same answers."""
        content = {'version': self.version, 'answers': dict(self.answers)}
        return _HEADER + yaml.safe_dump(content, sort_keys=False)

    def write(self, folder: Path) -> None:
        """Write the stamp into the service in that folder."""
        (folder / NAME).write_text(self.text())

    @property
    def repository(self) -> str:
        """Return the name of the service's repository."""
        return f'{self.answers["organisation"]}-{self.answers["service"]}-backend'

    @property
    def package(self) -> str:
        """Return the name of the service's Python package."""
        return str(self.answers['service']).replace('-', '_')


def read_stamp(folder: Path) -> Stamp:
    """Return the stamp of the service in that folder; raise TemplateError without one."""
    path = folder / NAME
    try:
        return parse_stamp(path.read_text())
    except FileNotFoundError:
        raise TemplateError(
            f'{folder} has no {NAME}: go to the folder of a service that `backstay new` wrote'
        ) from None
    except ValueError:
        raise TemplateError(
            f'{path} cannot be read: bring it back with `git checkout -- {NAME}`'
        ) from None


def parse_stamp(text: str) -> Stamp:
    """Return the stamp that a text holds; raise ValueError when it holds none."""
    try:
        content = yaml.safe_load(text)
        version, answers = str(content['version']), {**content['answers']}
        Version(version)
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from None
    if not {'organisation', 'service'} <= answers.keys():
        raise ValueError('an answer is missing')
    return Stamp(version=version, answers=answers)
