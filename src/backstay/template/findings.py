"""`Finding`, a result of `backstay doctor`, and `Patient`, the service that it examines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backstay.template.git import run_git
from backstay.template.stamp import Stamp

Kind = Literal['behind', 'misconfigured', 'unsafe']


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a service."""

    kind: Kind
    what: str
    #: The command that mends it, or an instruction where no command can.
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A service, as the checks see it."""

    folder: Path
    stamp: Stamp
    #: Whether git keeps it. Otherwise checks that ask git find nothing.
    in_git: bool

    def tracked(self, *patterns: str) -> list[str]:
        """Return the files that git keeps, by git's patterns."""
        if not self.in_git:
            return []
        listed = run_git(self.folder, 'ls-files', '-z', '--', *patterns).stdout
        return [name for name in listed.split('\0') if name]

    def text(self, name: str) -> str:
        """Return the text of a file; an empty one without the file."""
        path = self.folder / name
        return path.read_text(errors='replace') if path.is_file() else ''


Check = Callable[[Patient], Iterator[Finding]]
