"""Secrets for a developer's machine, made once and kept out of git."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

_HEADER = '# Secrets of this machine alone. Git ignores this file: never commit or share it.\n'
#: What makes the secrets that a developer's machine has without being given them.
LOCAL_SECRETS: Mapping[str, Callable[[], str]] = {
    'SECRET_KEY': lambda: secrets.token_urlsafe(48),
    'BACKSTAY_ENCRYPTION_KEYS': lambda: f'local:{base64.b64encode(os.urandom(32)).decode()}',
}


def local_secret(base_dir: Path, env: str, name: str, secret: str) -> str:
    """Return the secret, new for each test process, else kept in `env/.env.local.secrets`."""
    if env != 'local':
        return secret
    path = base_dir / 'env' / '.env.local.secrets'
    path.parent.mkdir(exist_ok=True)
    before = path.read_text() if path.exists() else ''
    start = '\n' if before and not before.endswith('\n') else '' if before else _HEADER
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 'a') as file:
        file.write(f'{start}{name}={secret}\n')
    return secret
