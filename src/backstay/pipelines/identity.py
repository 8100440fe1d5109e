"""The identity of a run: a token of GitHub for one audience, by which clouds trust it (OIDC)."""

import json
import os
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote

from backstay.pipelines.errors import RefusedError

#: Seconds for one request.
_TIMEOUT = 20


def write_identity(audience: str, path: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Write the token of this run for an audience to a file for its owner alone."""
    try:
        address = environment['ACTIONS_ID_TOKEN_REQUEST_URL']
        bearer = environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']
    except KeyError:
        raise RefusedError('this run has no identity: the job needs `id-token: write`') from None
    asked = urllib.request.Request(  # noqa: S310 the address that GitHub gives
        f'{address}&audience={quote(audience, safe="")}',
        headers={'Authorization': f'Bearer {bearer}'},
    )
    try:
        with urllib.request.urlopen(asked, timeout=_TIMEOUT) as answer:  # noqa: S310 as above
            token = json.load(answer)['value']
    except (HTTPError, URLError, KeyError) as error:
        raise RefusedError(f'GitHub gives no identity: {error}') from None
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'w') as file:
        file.write(token)
