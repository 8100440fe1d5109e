"""Asks a server for the paths of a case for some seconds, with every connection always busy.

`wrk` does it when it is installed. Without it a client in Python does the same at a much higher
cost, which lowers everybody's requests per second and leaves the CPU figures of server and database
as they are.
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

HOW_TO_INSTALL = (
    'wrk is not installed (Debian, Ubuntu: apt-get install wrk; macOS: brew install wrk)'
)

# Each thread starts at the first path; one thread is used, so paths are asked for in order.
SCRIPT = """
local paths = { %s }
local at = 0
request = function()
  at = at %% #paths + 1
  return wrk.format('GET', paths[at])
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests": %%d, "seconds": %%f, "errors": %%d, "p50": %%f, "p99": %%f}\\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a block of load came to."""

    requests: int
    seconds: float
    #: Answers other than 2xx, and connections that failed; any of them voids the block.
    errors: int
    #: Latencies in milliseconds, queueing included.
    p50: float
    p99: float


def installed() -> bool:
    """Whether `wrk` can be used."""
    return shutil.which('wrk') is not None


def ask(url: str, paths: tuple[str, ...], *, clients: int, seconds: float) -> Load:
    """Loads a server for some seconds."""
    if installed():
        return with_wrk(url, paths, clients, seconds)
    return asyncio.run(with_python(url, paths, clients, seconds))


def with_wrk(url: str, paths: tuple[str, ...], clients: int, seconds: float) -> Load:
    """One thread of wrk; it takes whole seconds only."""
    with tempfile.NamedTemporaryFile('w', suffix='.lua') as script:
        script.write(SCRIPT % ', '.join(json.dumps(path) for path in paths))
        script.flush()
        length = f'{max(1, round(seconds))}s'
        command = ['wrk', '-t1', f'-c{clients}', f'-d{length}', '-s', script.name, url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout.strip().rpartition('\n')[2]))


async def with_python(url: str, paths: tuple[str, ...], clients: int, seconds: float) -> Load:
    """Keep-alive connections in one process, each asking again as soon as it is answered."""
    parts = urlsplit(url)
    taken: list[float] = []
    wrong = 0
    until = time.perf_counter() + seconds

    async def client(first: int) -> None:
        nonlocal wrong
        try:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            at = first
            while (start := time.perf_counter()) < until:
                path = paths[at % len(paths)]
                writer.write(f'GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n'.encode())
                wrong += not await answered(reader)
                taken.append((time.perf_counter() - start) * 1000)
                at += clients
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            wrong += 1

    start = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    cuts = statistics.quantiles(taken, n=100) if len(taken) > 1 else [0.0] * 99
    return Load(
        requests=len(taken),
        seconds=time.perf_counter() - start,
        errors=wrong,
        p50=cuts[49],
        p99=cuts[98],
    )


async def answered(reader: asyncio.StreamReader) -> bool:
    """Reads one answer; whether its status is 2xx."""
    head = (await reader.readuntil(b'\r\n\r\n')).lower()
    length = head.partition(b'content-length:')[2].partition(b'\r\n')[0]
    if length:
        await reader.readexactly(int(length))
    else:
        await skip_chunks(reader)
    return head.startswith(b'http/1.1 2')


async def skip_chunks(reader: asyncio.StreamReader) -> None:
    """Reads a chunked body."""
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()
