"""The client for GitHub: gidgethub over httpx, which waits for limits and reports every failure.

gidgethub is maintained, small (it has no models of its own to follow) and leaves the transport to
us, so that calls use the HTTP client of the platform and tests can answer them in the process.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import httpx
from gidgethub import GitHubBroken, GitHubException, HTTPException
from gidgethub.abc import GitHubAPI

#: Seconds that one call may take, and that limits may delay all calls in total.
TIMEOUT, PATIENCE = 30.0, 300.0
#: Attempts at one call.
ATTEMPTS = 4
_API_VERSION = {'X-GitHub-Api-Version': '2022-11-28'}


class CallFailed(Exception):
    """A failed call of GitHub; the text says which and why, and holds nothing secret."""


class GitHub(GitHubAPI):
    """Calls to one GitHub with one token."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        token: str,
        api: str = 'https://api.github.com',
        graphql: str = 'https://api.github.com/graphql',
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__('backstay-contributing', oauth_token=token, base_url=api)
        self._client, self._graphql, self._sleep = client, graphql, sleep
        self._waited = 0.0

    async def query(
        self, document: str, variables: Mapping[str, Any], *, optional: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return the data of a GraphQL query, which is retried when GitHub breaks.

        `optional` names parts of the top level that may fail: they are None then. Raises
        CallFailed when anything else does.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._ask(document, variables, optional)
            except (GitHubBroken, httpx.TransportError) as error:
                if attempt == ATTEMPTS or not await self._may_wait(2.0**attempt):
                    raise CallFailed(f'GraphQL: {_reason(error)}') from None
            except GitHubException as error:
                raise CallFailed(f'GraphQL: {_reason(error)}') from None
        raise CallFailed('GraphQL: no answer')

    async def mutate(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data of a GraphQL mutation, made once; raises CallFailed."""
        try:
            return await self._ask(document, variables, ())
        except (GitHubException, httpx.TransportError) as error:
            raise CallFailed(f'GraphQL: {_reason(error)}') from None

    async def call(self, method: str, path: str, data: Any = b'', **parts: str | int) -> Any:
        """Return the answer of a call to the REST API, made once; raises CallFailed.

        `parts` fill the variables of the path, escaped.
        """
        url_vars = {name: str(value) for name, value in parts.items()}
        try:
            answer, _next, _status = await self._make_request(
                method,
                path,
                url_vars,
                data,
                accept='application/vnd.github+json',
                extra_headers=dict(_API_VERSION),
            )
        except (GitHubException, httpx.TransportError) as error:
            raise CallFailed(f'{method} {path}: {_reason(error)}') from None
        return answer

    async def _ask(
        self, document: str, variables: Mapping[str, Any], optional: Collection[str]
    ) -> dict[str, Any]:
        for _attempt in range(ATTEMPTS):
            answer: Any = await self.post(
                self._graphql, data={'query': document, 'variables': dict(variables)}
            )
            errors = answer.get('errors') or []
            if not any(error.get('type') == 'RATE_LIMITED' for error in errors):
                break
            limit = self.rate_limit
            known = None if limit is None else limit.reset_datetime.timestamp() - time.time()
            if not await self._may_wait(60.0 if known is None else known):
                break
        fatal = [error for error in errors if not _concerns(error, optional)]
        if fatal or not isinstance(answer.get('data'), dict):
            # GitHub's message may quote names, but never our values.
            raise CallFailed(f'GraphQL: {fatal[0].get("message") if fatal else "no data"}')
        return dict(answer['data'])

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b''
    ) -> tuple[int, Mapping[str, str], bytes]:
        answer = await self._client.request(
            method, url, headers=dict(headers), content=body, timeout=TIMEOUT
        )
        return answer.status_code, answer.headers, answer.content

    async def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        await self._sleep(seconds)

    async def handle_rate_limit_error(
        self,
        *,
        method: str,  # noqa: ARG002 the signature is gidgethub's
        url: str,  # noqa: ARG002
        exception: HTTPException,
        attempt: int,
    ) -> bool:
        """Whether to call again, also for writes: a call that a limit rejected has changed nothing.

        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
        """
        headers = exception.headers or {}
        if exception.status_code not in {403, 429} or attempt >= ATTEMPTS:
            return False
        if 'retry-after' in headers:
            return await self._may_wait(_seconds(headers['retry-after']))
        if headers.get('x-ratelimit-remaining') == '0':
            reset = _seconds(headers.get('x-ratelimit-reset', '0'))
            return await self._may_wait(reset - time.time())
        return exception.status_code == 429 and await self._may_wait(60.0)

    async def _may_wait(self, seconds: float) -> bool:
        """Wait, unless that would exceed our patience; return whether it waited."""
        seconds = max(seconds, 1.0)
        if self._waited + seconds > PATIENCE:
            return False
        self._waited += seconds
        await self.sleep(seconds)
        return True


def _concerns(error: Mapping[str, Any], optional: Collection[str]) -> bool:
    """Whether an error may be ignored: of an optional part, or of something that is gone by now."""
    path = error.get('path') or [None]
    return path[0] in optional or (len(path) > 1 and error.get('type') == 'NOT_FOUND')


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 60.0


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPException):
        return f'{int(error.status_code)} {error}'
    return str(error) or type(error).__name__
