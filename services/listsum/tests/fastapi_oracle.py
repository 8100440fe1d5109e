"""What FastAPI answers, asked in this process: the peer of the bench says what is right."""

import asyncio
from dataclasses import dataclass

import httpx
from django.test import Client

from bench.listsum.peer import app

PATH = '/api/v1/two-list-sum/'
JSON = 'application/json'


@dataclass(frozen=True, slots=True)
class Answer:
    """The part of a response on which both have to agree."""

    status: int
    body: bytes


def ask_fastapi(body: bytes, content_type: str = JSON) -> Answer:
    """FastAPI's answer; an empty `content_type` sends no such header."""
    return asyncio.run(_ask_fastapi(body, content_type))


async def _ask_fastapi(body: bytes, content_type: str) -> Answer:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {'Content-Type': content_type} if content_type else {}
    async with httpx.AsyncClient(transport=transport, base_url='http://testserver') as client:
        response = await client.post(PATH, content=body, headers=headers)
    return Answer(response.status_code, response.content)


def ask_us(body: bytes, content_type: str = JSON) -> Answer:
    """Our answer, through every middleware of the site."""
    response = Client().generic('POST', PATH, body, content_type)
    if response.status_code < 500:
        assert response.headers['Content-Type'] in (JSON, 'application/problem+json')
    return Answer(response.status_code, response.content)
