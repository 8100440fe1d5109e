"""The share of a service that its tests run, on both engines together, and its minimum.

The share of lines is truncated, never rounded up: 89.999 % is 89.99 %, which is below 90.00 %.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from backstay.pipelines.errors import RefusedError

#: Percent, the same in forks and on every branch.
MINIMUM = Decimal('90.00')
#: The report of the last run, which the pipeline reads.
REPORT = Path('var/coverage.json')
_HUNDREDTH = Decimal('0.01')
#: Code that tests do not reach on purpose.
_OMITTED = ('*/tests/*', 'tests/*', '*/migrations/*', 'manage.py')


def measure(sources: Sequence[str], arguments: Sequence[str]) -> int:
    """Run the suite on both engines, write the report, and return the suite's exit code."""
    REPORT.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='backstay-coverage-') as folder:
        settings = Path(folder, 'coveragerc')
        lines = [
            '[run]',
            f'data_file = {Path(folder, "data")}',
            'parallel = true',
            'patch = subprocess',  # the suite runs pytest in a process of its own per engine
            f'source = {",".join(sources)}',
            f'omit = {",".join(_OMITTED)}',
            'disable_warnings = no-data-collected',
        ]
        settings.write_text('\n'.join(lines))
        run = ['run', f'--rcfile={settings}', '-m', 'backstay.testing', *arguments]
        code = _coverage(*run).returncode
        _coverage('combine', f'--rcfile={settings}', '--quiet')
        _coverage('json', f'--rcfile={settings}', '--quiet', '-o', str(REPORT))
    return code


def _coverage(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 our own interpreter and arguments
        [sys.executable, '-m', 'coverage', *arguments], check=False
    )


def percent(report: Any) -> Decimal:
    """Return the percentage of executed lines in a report of `coverage json`, in hundredths."""
    totals = report['totals']
    lines = Decimal(totals['num_statements'])
    if not lines:
        raise RefusedError('the report of coverage names no line: nothing was measured')
    share = 100 * Decimal(totals['covered_lines']) / lines
    return share.quantize(_HUNDREDTH, rounding=ROUND_DOWN)


def gate(path: Path, minimum: Decimal = MINIMUM) -> str:
    """Return the summary of a report; raises RefusedError below the minimum or without a report."""
    try:
        report = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RefusedError(
            f'{path} is missing: the suite did not run, or `make check` does not measure it'
        ) from None
    found = percent(report)
    if found < minimum:
        missing = {name: len(file['missing_lines']) for name, file in report['files'].items()}
        worst = sorted(missing.items(), key=lambda item: -item[1])[:5]
        least = '\n'.join(f'  {name}: {lines} lines' for name, lines in worst)
        raise RefusedError(f'coverage is {found} %, below {minimum} %; most is missing in\n{least}')
    return f'coverage is {found} %, at least {minimum} %'
