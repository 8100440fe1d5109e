"""A secret key for a developer's machine, made once and kept out of git."""

import os
import secrets
from pathlib import Path

_HEADER = '# Secrets of this machine alone. Git ignores this file: never commit or share it.\n'


def local_secret_key(base_dir: Path, env: str) -> str:
    """Return a key for `env`: a new one per test process, else kept in `env/.env.local.secrets`."""
    key = secrets.token_urlsafe(48)
    if env != 'local':
        return key
    path = base_dir / 'env' / '.env.local.secrets'
    path.parent.mkdir(exist_ok=True)
    before = path.read_text() if path.exists() else ''
    start = '\n' if before and not before.endswith('\n') else '' if before else _HEADER
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 'a') as file:
        file.write(f'{start}SECRET_KEY={key}\n')
    return key
