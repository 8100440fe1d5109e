"""The how-to for the author of a bot, followed to the letter: what is called, what comes back."""

import json
import re
import shlex
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

#: The numbers in the guide are those of an empty database.
pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)

PAGE = Path(__file__).resolve().parents[3] / 'docs' / 'how-to' / 'publish-issues.md'
SITE = 'http://127.0.0.1:8000'
COMMAND = re.compile(r"^\$ (curl (?:[^'\n]|'[^']*')+)\n((?:(?!\$ ).+\n)*)", re.MULTILINE)
_UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f-]{27}')


def commands() -> list[tuple[str, str]]:
    """Each call of the page, and what it shows of the answer."""
    blocks = re.findall(r'^```console\n(.*?)^```', PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return [found for block in blocks for found in COMMAND.findall(block)]


def answer_to(command: str, site: str, bot: str) -> httpx.Response:
    """The answer that curl would get, for the few options that the page uses."""
    words = iter(shlex.split(command.replace('$BOT', bot).replace(SITE, site))[1:])
    address, asked = '', {'method': 'GET'}
    for word in words:
        match word:
            case '-s':
                pass
            case '-u':
                asked['auth'] = tuple(next(words).split(':'))  # type: ignore[assignment]
            case '-H':
                asked['headers'] = dict([next(words).split(': ')])  # type: ignore[assignment]
            case '-d':
                asked |= {'method': 'POST', 'content': next(words)}
            case _:
                address = word
    sent: dict[str, Any] = asked
    return httpx.request(url=address, trust_env=False, **sent)


def named(texts: list[str]) -> Iterator[Any]:
    """The JSON of the texts, with names for the ids of issues, which differ in each run."""
    names: dict[str, str] = {}
    for text in texts:
        known = _UUID.sub(lambda found: names.setdefault(found[0], f'issue {len(names)}'), text)
        yield json.loads(known)


def test_every_call_is_answered_as_the_page_shows(live_server: LiveServer) -> None:
    get_user_model().objects.create_user('bot')
    made = StringIO()
    arguments = re.search(r'^backstay key create (.+)$', PAGE.read_text(), re.MULTILINE)
    assert arguments
    call_command('key', 'create', *shlex.split(arguments[1]), stdout=made)
    bot = f'bot:{made.getvalue().strip()}'
    told = commands()
    answers = [answer_to(command, live_server.url, bot) for command, _ in told]

    statuses = [answer.status_code for answer in answers]
    assert statuses == [201, 400, 201, 200, 201, 400, 201, 201, 200, 200, 200, 200]
    texts = [answer.text.replace(live_server.url, SITE) for answer in answers]
    assert [*named(texts)] == [*named([shown for _, shown in told])]
