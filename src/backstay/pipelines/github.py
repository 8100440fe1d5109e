"""The deployments of a repository in GitHub's REST API, and the outputs of a run."""

import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from backstay.pipelines.deployments import Deployment
from backstay.pipelines.errors import RefusedError
from backstay.pipelines.versions import Version, parse

#: The task of our records; GitHub adds records of its own for each job with an environment.
TASK = 'deploy:backstay'
#: Deployments that are looked at, the newest first.
_REACH = 100
#: Seconds for one request.
_TIMEOUT = 20


def variable(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a variable that every run has; raises RefusedError when it is not set."""
    if name not in environment:
        raise RefusedError(f'{name} is not set; this step belongs in a pipeline')
    return environment[name]


class GitHubApi:
    """The REST API of one repository."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Read the variables that GitHub gives each step, and `GITHUB_TOKEN`."""
        self._api = variable('GITHUB_API_URL', environment)
        self._repository = variable('GITHUB_REPOSITORY', environment)
        self._token = variable('GITHUB_TOKEN', environment)

    def published(self) -> set[Version]:
        """Return the versions that have a release; drafts are none."""
        found, page = set(), 1
        while releases := self.send('GET', f'releases?per_page={_REACH}&page={page}'):
            versions = (parse(each['tag_name']) for each in releases if not each['draft'])
            found |= {version for version in versions if version}
            page += 1
        return found

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to one request; raise RefusedError without one."""
        headers = {
            'Accept': 'application/vnd.github+json',
            'Authorization': f'Bearer {self._token}',
            'X-GitHub-Api-Version': '2022-11-28',
        }
        address = f'{self._api}/repos/{self._repository}/{path}'
        return answer_of(method, address, headers, body, told=path)


def answer_of(
    method: str, address: str, headers: Mapping[str, str], body: Any = None, *, told: str
) -> Any:
    """Return the JSON that GitHub answers; raise RefusedError without it, which names `told`."""
    request = urllib.request.Request(  # noqa: S310 the address that GitHub gives a run
        address,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers=dict(headers),
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 as above
            return json.load(answer)
    except HTTPError as error:
        raise RefusedError(f'GitHub answers {error.code} to {method} {told}') from None
    except URLError as error:
        raise RefusedError(f'GitHub does not answer: {error.reason}') from None


class Deployments:
    """The records of one repository."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._send = GitHubApi(environment).send

    def history(self, environment: str) -> list[Deployment]:
        """Return the deployments to an environment, the newest first."""
        query = urlencode({'environment': environment, 'task': TASK, 'per_page': _REACH})
        found = []
        for record in self._send('GET', f'deployments?{query}'):
            statuses = self._send('GET', f'deployments/{record["id"]}/statuses?per_page={_REACH}')
            deployment = Deployment(
                environment=record['environment'],
                version=record['payload']['version'],
                image=record['payload']['image'],
                succeeded=any(status['state'] == 'success' for status in statuses),
            )
            found.append(deployment)
        return found

    def begin(self, deployment: Deployment, ref: str) -> int:
        """Record that a deployment has begun, and return the number of the record."""
        record = self._send(
            'POST',
            'deployments',
            {
                'ref': ref,
                'task': TASK,
                'environment': deployment.environment,
                'payload': {'version': deployment.version, 'image': deployment.image},
                'auto_merge': False,
                'required_contexts': [],
                'production_environment': deployment.environment == 'production',
            },
        )
        self._tell(record['id'], 'in_progress')
        return int(record['id'])

    def end(self, number: int, *, succeeded: bool) -> None:
        """Record whether the deployment succeeded."""
        self._tell(number, 'success' if succeeded else 'failure')

    def _tell(self, number: int, state: str) -> None:
        # `auto_inactive` would remove the success of earlier deployments.
        body = {'state': state, 'auto_inactive': False}
        self._send('POST', f'deployments/{number}/statuses', body)


def tell_outputs(values: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> None:
    """Pass values to later steps and jobs, and print them.

    Each is enclosed in a random delimiter, which no text of a stranger can guess.
    """
    for name, value in values.items():
        sys.stdout.write(f'{name}: {value}\n')
    if path := environment.get('GITHUB_OUTPUT'):
        border = f'end-{os.urandom(16).hex()}'
        with Path(path).open('a') as file:
            for name, value in values.items():
                file.write(f'{name}<<{border}\n{value}\n{border}\n')
