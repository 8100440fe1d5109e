"""`Finding`, and `Patient`: what `backstay doctor` tells, and what its checks look at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backstay.template.git import run_git
from backstay.template.stamp import Stamp

Kind = Literal['behind', 'misconfigured', 'unsafe']


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    what: str
    #: The command that mends it, or what to do where no command can.
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A service, as the checks see it."""

    folder: Path
    stamp: Stamp
    #: Whether git keeps it. Without, checks that ask git find nothing.
    in_git: bool

    def tracked(self, *patterns: str) -> list[str]:
        """Files that git keeps, by its patterns."""
        if not self.in_git:
            return []
        listed = run_git(self.folder, 'ls-files', '-z', '--', *patterns).stdout
        return [name for name in listed.split('\0') if name]

    def text(self, name: str) -> str:
        """What a file says; nothing where there is none."""
        path = self.folder / name
        return path.read_text(errors='replace') if path.is_file() else ''


Check = Callable[[Patient], Iterator[Finding]]
