"""The identity of a run: a token of GitHub for one audience, by which clouds trust it (OIDC)."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from backstay.pipelines.errors import RefusedError
from backstay.pipelines.github import answer_of


def write_identity(audience: str, path: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Write the token of this run for an audience to a file for its owner alone."""
    try:
        address = environment['ACTIONS_ID_TOKEN_REQUEST_URL']
        bearer = environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']
    except KeyError:
        raise RefusedError('this run has no identity: the job needs `id-token: write`') from None
    asked = f'{address}&audience={quote(audience, safe="")}'
    headers = {'Authorization': f'Bearer {bearer}'}
    token = answer_of('GET', asked, headers, told='the identity of the run')['value']
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'w') as file:
        file.write(token)
