"""A receiver of webhooks, who owns them, and how rows are written."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from backstay.caller import Held
from backstay.events.models import Delivery, Webhook
from backstay.events.secrets import new_secret, seal
from backstay.identity.models import Account
from tests.events.site import HELD, LIBRARY
from tests.lending.models import Branch
from tests.tasks.conftest import shared_database, start, start_worker  # noqa: F401 fixtures

Ask = Callable[..., HttpResponse]


@dataclass
class Received:
    """One request that a receiver got."""

    path: str
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass
class Receiver:
    """A web server on this machine that keeps what it gets, and answers as a test says."""

    port: int = 0
    got: list[Received] = field(default_factory=list)
    #: What it answers: a status, or a function of what came.
    answer: Any = 200
    #: Headers and body of its answers.
    headers: dict[str, str] = field(default_factory=dict)
    says: bytes = b'thanks'
    #: Whether somebody left before the answer was at its end.
    was_cut_off: bool = False

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.port}/hook'

    @property
    def bodies(self) -> list[Any]:
        return [each.body for each in self.got]

    @property
    def sequences(self) -> dict[str, list[int]]:
        """The changes of each object, in the order in which they came."""
        found: dict[str, list[int]] = {}
        for body in self.bodies:
            found.setdefault(body['aggregate']['id'], []).append(body['aggregate']['seq'])
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver, lock = Receiver(), Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers['Content-Length'])
            raw = self.rfile.read(length)
            if len(raw) < length:  # whoever sent it was killed over it
                return
            text = raw.decode()
            names = {name.lower(): value for name, value in self.headers.items()}
            came = Received(self.path, names, text)
            with lock:
                receiver.got.append(came)
            status = receiver.answer(came) if callable(receiver.answer) else receiver.answer
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(receiver.says)
            except OSError:
                receiver.was_cut_off = True

        do_GET = do_POST  # noqa: N815 the name that http.server looks for

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        receiver.port = server.server_port
        thread = Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _site(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = 'tests.events.site'
    settings.BACKSTAY_SERVICES = (LIBRARY,)
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'webhook_allow_private': True})
    yield
    HELD.clear()


@pytest.fixture
def strict(settings: Any) -> None:
    """As where strangers come: public addresses only."""
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'webhook_allow_private': False})


@pytest.fixture
def north(db: None) -> Branch:
    return Branch.objects.create(name='North')


@pytest.fixture
def south(db: None) -> Branch:
    return Branch.objects.create(name='South')


def account(name: str, level: int, *held: tuple[Branch, int]) -> Account:
    """Somebody with a level of its own, who holds levels over branches."""
    made = Account.objects.create_user(name, email=f'{name}@example.com', level=level)
    hold(made, *held)
    return made


def hold(who: Account, *held: tuple[Branch, int]) -> None:
    """Let an account hold these levels over branches, and nothing else."""
    HELD[who.pk] = tuple(Held(over='branches', id=each.pk, level=at) for each, at in held)


@pytest.fixture
def owner(north: Branch) -> Account:
    """Who owns the webhooks."""
    return account('owner', 4, (north, 3))


@pytest.fixture
def clerk(north: Branch, south: Branch) -> Account:
    """Who writes the rows."""
    return account('clerk', 1, (north, 3), (south, 3))


def asking(who: Account) -> Ask:
    """Ask as an account: `ask('patch', '/items/7/', {...})`."""
    client = Client()
    client.force_login(who)

    def ask(method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        data = '' if body is None else json.dumps(body)
        extra: dict[str, Any] = headers
        response: HttpResponse = client.generic(
            method.upper(), path, data, content_type='application/json', **extra
        )
        return response

    return ask


@pytest.fixture
def write(clerk: Account) -> Ask:
    """Write as the clerk; what is refused fails the test."""
    ask = asking(clerk)

    def write(method: str, path: str, body: Any = None) -> Any:
        answer = ask(method, path, body)
        assert answer.status_code < 300, answer.content
        return json.loads(answer.content) if answer.content else None

    return write


@pytest.fixture
def hook(owner: Account, receiver: Receiver) -> Webhook:
    """A webhook of the owner, told of everything, that leads to the receiver."""
    return make_hook(owner, receiver.url)


def make_hook(owner: Account, url: str, **values: Any) -> Webhook:
    return Webhook.objects.create(owner=owner, url=url, secret=seal(new_secret()), **values)


def states(**where: Any) -> list[str]:
    """The states of deliveries, in the order in which they were made."""
    return [*Delivery.objects.filter(**where).order_by('pk').values_list('state', flat=True)]
