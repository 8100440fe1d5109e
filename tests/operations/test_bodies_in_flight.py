"""Four large bodies at once, to list-sum: memory has a bound, and who is beyond it is told so."""

import json
import threading
from pathlib import Path

import httpx
import pytest
from sample_site.running import Site, StartSite

from tests.proofs import record_proof, size

pytestmark = pytest.mark.engine_free  # list-sum has no database

MIB = 1024 * 1024
CLIENTS = 4


def highest_memory_of(site: Site) -> int:
    """The most bytes that the worker ever held."""
    (worker,) = site.workers()
    lines = Path(f'/proc/{worker}/status').read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith('VmHWM'))


def test_have_a_bound_in_memory(
    start_site: StartSite, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    body_size, room = size(7, 61) * MIB, size(8, 64) * MIB
    site = start_site(
        'serve',
        base_dir=tmp_path,
        ENV='test',
        DJANGO_SETTINGS_MODULE='config.settings',
        SERVICES='listsum',
        DATABASE_URL='sqlite://:memory:',
        BACKSTAY_BODIES_IN_FLIGHT=str(room),
        BACKSTAY_CONCURRENCY=str(CLIENTS),
    )
    numbers = [1] * (body_size // 3)
    body = json.dumps({'list_a': numbers, 'list_b': [], 'target': 3}).encode()
    del numbers
    before = highest_memory_of(site)
    answers: list[httpx.Response] = []
    together = threading.Barrier(CLIENTS)

    def post() -> None:
        together.wait()
        headers = {'Content-Type': 'application/json'}
        url = f'{site.url}/api/v1/two-list-sum/'
        answers.append(httpx.post(url, content=body, headers=headers, timeout=120))

    threads = [threading.Thread(target=post) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(each.status_code for each in answers)
    grown = highest_memory_of(site) - before
    told = f'{CLIENTS} x {len(body) // MIB} MiB: {statuses}, {grown // MIB} MiB more'
    record_proof(request, told)
    assert statuses[0] == 200, told
    assert statuses[-1] == 503, told
    assert set(statuses) == {200, 503}, told
    refused = next(each for each in answers if each.status_code == 503)
    assert refused.json()['code'] == 'too-many-bodies'
    assert refused.headers['Retry-After'] == '1'
    assert grown < 9 * room, told  # what one request of list-sum takes
