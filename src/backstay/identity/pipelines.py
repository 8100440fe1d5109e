"""Workflows of GitHub Actions as callers: they present a token that GitHub signs for each run.

Any repository on GitHub can get such a token for any audience, so owner and workflow are required
beside issuer, audience and expiry. Nobody may call until the site names both
(`BACKSTAY_PIPELINE_OWNERS`, `BACKSTAY_PIPELINE_WORKFLOWS`).
https://docs.github.com/en/actions/concepts/security/openid-connect
"""

import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings
from django.http import HttpRequest

from backstay.caller import Caller
from backstay.identity.limits import WORKFLOWS_FROM, refuse_token
from backstay.identity.problems import TokenExpired, TokenInvalid

ISSUER = 'https://token.actions.githubusercontent.com'
#: Seconds for which keys are trusted, and between two fetches because of an unknown key.
KEYS_LIFE, KEYS_COOLDOWN = 3600.0, 60.0
#: Seconds for which a provider that does not answer is not asked again.
_REST = 10.0

_ALGORITHMS = ('RS256', 'RS384', 'RS512')
_PULL = re.compile(r'@refs/pull/')
_REQUIRED = ('exp', 'iat', 'iss', 'aud', 'repository', 'repository_owner_id', 'job_workflow_ref')


class Keys(jwt.PyJWKClient):
    """The issuer's keys: PyJWT's client, which also leaves a provider that is down alone."""

    def __init__(
        self, url: str, *, lifespan: float = KEYS_LIFE, cooldown: float = KEYS_COOLDOWN
    ) -> None:
        super().__init__(url, lifespan=lifespan, cooldown_duration=cooldown, timeout=5)
        self._rests_until = 0.0

    def fetch_data(self) -> Any:
        """Fetch the keys from the provider."""
        if time.monotonic() < self._rests_until:
            raise jwt.PyJWKClientConnectionError('the provider did not answer a moment ago')
        try:
            return super().fetch_data()
        except jwt.PyJWKClientConnectionError:
            self._rests_until = time.monotonic() + _REST
            raise


@lru_cache(maxsize=2)
def _keys_of(issuer: str) -> Keys:
    return Keys(f'{issuer}/.well-known/jwks')


def looks_like_pipeline(token: str) -> bool:
    """Whether the site accepts tokens of workflows, and this has the form of one (RFC 7519)."""
    return bool(settings.BACKSTAY.pipeline_owners) and token.count('.') == 2


def caller_of_pipeline(token: str, request: HttpRequest, keys: Keys | None = None) -> Caller:
    """Return the workflow of a token as a caller: no statement, and a fetch of keys once an hour.

    Raises TokenExpired, TokenInvalid.
    """
    environment = settings.BACKSTAY
    issuer = str(getattr(settings, 'BACKSTAY_PIPELINE_ISSUER', ISSUER))
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            (keys or _keys_of(issuer)).get_signing_key_from_jwt(token),
            algorithms=list(_ALGORITHMS),
            audience=environment.pipeline_audience,
            issuer=issuer,
            options={'require': list(_REQUIRED)},
        )
    except jwt.ExpiredSignatureError:
        raise TokenExpired from None
    except jwt.PyJWKClientConnectionError:  # nobody's fault
        raise TokenInvalid from None
    except jwt.PyJWTError:
        refuse_token(WORKFLOWS_FROM, request)
    if str(claims['repository_owner_id']) not in environment.pipeline_owners:
        refuse_token(WORKFLOWS_FROM, request)
    workflow, allowed = str(claims['job_workflow_ref']), environment.pipeline_workflows
    # Whoever opens a pull request may write what it runs.
    if _PULL.search(workflow) or str(claims.get('ref', '')).startswith('refs/pull/'):
        refuse_token(WORKFLOWS_FROM, request)
    if not any(_matches(pattern, workflow) for pattern in allowed):
        refuse_token(WORKFLOWS_FROM, request)
    names = ('repository', 'repository_owner_id', 'ref', 'job_workflow_ref', 'run_id', 'actor')
    return Caller(
        kind='pipeline',
        name=str(claims['repository']),
        facts={name: claims.get(name) for name in names},
    )


def _matches(pattern: str, workflow: str) -> bool:
    """Whether a pattern is the whole workflow, case and all; `*` is any text without `/` and `@`.

    >>> _matches('acme/*/.github/workflows/go.yaml@refs/heads/main', 'acme/x/y/go.yaml')
    False
    """
    return bool(re.fullmatch('[^/@]*'.join(map(re.escape, pattern.split('*'))), workflow))
