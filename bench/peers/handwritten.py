"""ASGI by hand over asyncpg: as little Python as a request can be answered with.

It parses only what the cases ask for, and knows no rights: the ceiling for an application, not a
design.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import asyncpg

from bench import database, statements
from bench.peers.links import neighbours

NAMES = {'object': ('id',), 'list': ('status', 'limit', 'offset')}
NAMES['nested'] = NAMES['list']
STATEMENTS = {
    name: statements.positional(text, *NAMES[name]) for name, text in statements.POSTGRESQL.items()
}
HEADERS = [(b'content-type', b'application/json')]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

pool: asyncpg.Pool


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The whole server."""
    if scope['type'] == 'lifespan':
        await lifespan(receive, send)
        return
    _, place, *rest = scope['path'].split('/')
    if rest[0]:
        status, body = await one(int(rest[0]))
    else:
        status, body = 200, await page('list' if place == 'products' else 'nested', scope)
    await send({'type': 'http.response.start', 'status': status, 'headers': HEADERS})
    await send({'type': 'http.response.body', 'body': body})


async def one(number: int) -> tuple[int, bytes]:
    """Status and body of a single product."""
    body = await pool.fetchval(STATEMENTS['object'], number)
    return (404, b'{}') if body is None else (200, body.encode())


async def page(name: str, scope: Scope) -> bytes:
    """The body of a page."""
    query = scope['query_string'].decode()
    asked = dict(parse_qsl(query))
    limit, offset = int(asked['limit']), int(asked['offset'])
    count, results = await pool.fetchrow(STATEMENTS[name], asked['status'], limit, offset)
    host = next(value for key, value in scope['headers'] if key == b'host').decode()
    url = f'http://{host}{scope["path"]}?{query}'
    links = neighbours(url, count, limit, offset)
    following, preceding = (f'"{link}"' if link else 'null' for link in links)
    return (
        f'{{"count":{count},"next":{following},"previous":{preceding},"results":{results}}}'
    ).encode()


async def lifespan(receive: Receive, send: Send) -> None:
    """Opens the pool before the first request and closes it after the last."""
    global pool
    while True:
        message = await receive()
        if message['type'] == 'lifespan.startup':
            pool = await asyncpg.create_pool(
                database.url(),
                min_size=database.pool_size(),
                max_size=database.pool_size(),
                server_settings=statements.SESSION,
                # The pool's own reset costs a round trip; nothing here changes a session.
                reset=keep,
            )
            await send({'type': 'lifespan.startup.complete'})
        else:
            await pool.close()
            await send({'type': 'lifespan.shutdown.complete'})
            return


async def keep(connection: asyncpg.Connection) -> None:
    """Leaves the session as it is."""
