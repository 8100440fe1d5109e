"""What a run was made on: hardware, kernel, versions, and the commit."""

import importlib.metadata
import os
import platform
import subprocess
from dataclasses import asdict
from typing import Any

import psycopg

from bench import database, load
from bench.options import Options

PACKAGES = (
    'django', 'djangorestframework', 'django-ninja', 'psycopg', 'granian', 'fastapi', 'litestar',
    'sqlalchemy', 'asyncpg', 'orjson', 'msgspec',
)  # fmt: skip


def described(options: Options) -> dict[str, Any]:
    """All of it, as JSON values."""
    return {
        'processor': processor(),
        'cores': os.cpu_count(),
        'kernel': platform.release(),
        'python': platform.python_version(),
        'database': database_version(),
        'generator': output('wrk', '-v').partition(' [')[0] if load.installed() else 'Python',
        'packages': {name: importlib.metadata.version(name) for name in PACKAGES},
        'commit': output('git', 'describe', '--always', '--dirty') or 'none yet',
        'options': asdict(options),
    }


def processor() -> str:
    """The model that the kernel names."""
    for line in output('lscpu').splitlines():
        name, _, value = line.partition(':')
        if name == 'Model name':
            return value.strip()
    return platform.machine()


def database_version() -> str:
    """The engine and its version."""
    if database.engine() == 'sqlite':
        import sqlite3

        return f'SQLite {sqlite3.sqlite_version}'
    with psycopg.connect(database.url()) as session:
        return f'PostgreSQL {str(session.info.parameter_status("server_version")).split()[0]}'


def output(*command: str) -> str:
    """What a command prints, or nothing when it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ''
    return done.stdout.strip()
