"""Programs of the machine, such as git, make and Docker, with their arguments as a list."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run(
    command: Sequence[str],
    folder: Path | None = None,
    *,
    said: str | None = None,
    environment: Mapping[str, str] | None = None,
    shown: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run a program, and return its exit code and output; with `shown` its output is the log's.

    No shell reads the arguments. `said` is its input.
    """
    return subprocess.run(  # noqa: S603 arguments are a list
        command,
        cwd=folder,
        env=environment,
        input=said,
        capture_output=not shown,
        text=True,
        check=False,
    )
