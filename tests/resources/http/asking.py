"""Asking the site as a client does."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http.response import HttpResponseBase
from django.test import Client


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, its body read."""

    response: HttpResponseBase
    body: bytes

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def results(self) -> list[Any]:
        return list(self.json['results'])

    @property
    def ids(self) -> list[Any]:
        return [each['id'] for each in self.results]

    def __getitem__(self, header: str) -> str:
        return str(self.response.headers[header])

    def has(self, header: str) -> bool:
        return header in self.response.headers


def get(path: str, mask: str | None = None, /, **parameters: Any) -> Answer:
    """GET. The mask goes into its header; `headers` are sent as they are."""
    headers = dict(parameters.pop('headers', {}))
    if mask is not None:
        headers['X-Fields'] = mask
    if parameters:
        path += '?' + urlencode({name: _text(value) for name, value in parameters.items()})
    return _read(Client(raise_request_exception=False).get(path, headers=headers))


def post(path: str, body: Any, /, **options: Any) -> Answer:
    """POST of a JSON body, or of text as it is."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    options = {'content_type': 'application/json', **options}
    return _read(Client(raise_request_exception=False).post(path, text, **options))


def call(method: str, path: str, **headers: str) -> Answer:
    """Any method, without a body."""
    client = Client(raise_request_exception=False)
    return _read(client.generic(method, path, headers=headers))


def path_of(url: str) -> str:
    """The path and query of an absolute URL of the site."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ('http', 'testserver')
    return f'{parts.path}?{parts.query}'


def follow(answer: Answer, name: str = 'next') -> Answer:
    """What lies behind `next` or `previous`."""
    return get(path_of(answer.json[name]))


def _read(response: Any) -> Answer:
    return Answer(response, response.getvalue())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
