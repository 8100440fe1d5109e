"""`python -m backstay.testing [pytest arguments]`: the suite on SQLite and on a real PostgreSQL.

Both run at once, as two processes; the output of the second follows that of the first. A test
marked `engine_free` runs once. The exit code is 0 only when both pass.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from urllib.parse import urlsplit

from backstay.testing.postgres import NoPostgres, find_or_start

#: For PostgreSQL's turn.
_ONLY_ENGINES = ('-m', 'not engine_free')
#: pytest's exit code where every test was deselected.
_NOTHING_TO_RUN = 5


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments on both engines."""
    try:
        postgres = find_or_start()
    except NoPostgres as error:
        print(f'backstay: {error}', file=sys.stderr)  # noqa: T201 a command prints
        return 2
    with tempfile.TemporaryFile('w+') as second_output:
        second = _start(
            [*arguments, *(_ONLY_ENGINES if '-m' not in arguments else ())],
            _own_database(postgres),
            second_output.fileno(),
        )
        first = _start(arguments, 'sqlite://:memory:', None)
        codes = [first.wait(), second.wait()]
        second_output.seek(0)
        where = urlsplit(postgres).hostname or 'a server started for this run'
        print(f'\n===== the same on PostgreSQL ({where}) =====')  # noqa: T201
        sys.stdout.writelines(second_output)
    return 0 if codes == [0, _NOTHING_TO_RUN] else max(codes)


def _own_database(url: str) -> str:
    """The server with a database name of this run's own, so that two runs do not meet."""
    return urlsplit(url)._replace(path=f'/backstay_{os.getpid()}').geturl()


def _start(
    arguments: Sequence[str], database_url: str, output: int | None
) -> subprocess.Popen[bytes]:
    environment = {**os.environ, 'ENV': 'test', 'DATABASE_URL': database_url}
    # Images often set it. Each process that a test starts would compile Django anew.
    environment.pop('PYTHONDONTWRITEBYTECODE', None)
    # pydantic looks through all that is installed: a tenth of what a process takes to start.
    environment['PYDANTIC_DISABLE_PLUGINS'] = '__all__'
    command = [sys.executable, '-m', 'pytest', *arguments]
    return subprocess.Popen(  # noqa: S603 our own interpreter and arguments
        command, env=environment, stdout=output, stderr=subprocess.STDOUT
    )


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
