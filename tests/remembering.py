"""What Django makes anew for each test, or each client, although no test has changed it.

To read the URLs of a site takes as long as ten requests, to make its middleware as long as one.
"""

from typing import Any

from django.core.signals import setting_changed
from django.test.client import ClientHandler
from django.test.signals import root_urlconf_changed
from django.urls import set_urlconf

#: What a handler has of its middleware, for as long as no setting changes.
_middleware: dict[str, Any] = {}


def remember_urls() -> None:
    """Keep URLs that were read when a test sets others: each URLconf has a resolver of its own."""
    setting_changed.disconnect(root_urlconf_changed)
    setting_changed.connect(_take_other_urls)


def _take_other_urls(*, setting: str, **_: Any) -> None:
    if setting == 'ROOT_URLCONF':
        set_urlconf(None)


def remember_middleware() -> None:
    """Let all clients share the middleware, as all requests to a process of a site do."""
    load = ClientHandler.load_middleware

    def load_once(handler: ClientHandler, is_async: bool = False) -> None:
        if not _middleware:
            first = ClientHandler()
            load(first, is_async)
            _middleware.update(
                (name, value) for name, value in vars(first).items() if 'middleware' in name
            )
        vars(handler).update(_middleware)

    ClientHandler.load_middleware = load_once
    setting_changed.connect(_forget_middleware)


def _forget_middleware(*, setting: str, **_: Any) -> None:
    if setting != 'ROOT_URLCONF':
        _middleware.clear()
