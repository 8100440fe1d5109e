"""Requests to the site of the resources with rights, and what a client sees of the answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import resolve

SITE = 'tests.rights.site'
#: What no two answers share.
_IGNORED = frozenset({'server-timing'})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, without who makes it."""

    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    #: How many pages are read, by following `next`.
    pages: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client sees of a response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answers(asked: Asked, word: str) -> tuple[Answer, ...]:
    """The answers to a request and to those for the pages behind it."""
    found = [_answer(asked, word, asked.path, asked.parameters)]
    for _ in range(asked.pages - 1):
        following = json.loads(found[-1].body).get('next') if found[-1].status == 200 else None
        if following is None:
            break
        parts = urlsplit(following)
        found.append(_answer(asked, word, f'{parts.path}?{parts.query}', {}))
    return tuple(found)


def _answer(asked: Asked, word: str, path: str, parameters: Mapping[str, str]) -> Answer:
    if parameters:
        path += '?' + urlencode(parameters)
    headers = {**asked.headers, 'Authorization': f'Caller {word}'}
    if asked.body is None:
        request = RequestFactory().get(path, headers=headers)
    else:
        text = json.dumps(asked.body)
        request = RequestFactory().post(path, text, 'application/json', headers=headers)
    match = resolve(urlsplit(path).path, SITE)
    return answer_of(match.func(request, *match.args, **match.kwargs))


def answer_of(response: HttpResponseBase) -> Answer:
    """What a client sees of a response."""
    if hasattr(response, 'render'):
        response.render()
    is_streamed = isinstance(response, StreamingHttpResponse)
    body = b''.join(response.streaming_content) if is_streamed else response.content  # type: ignore[attr-defined]
    headers = [each for each in response.items() if each[0].lower() not in _IGNORED]
    return Answer(response.status_code, tuple(sorted(headers)), body)
