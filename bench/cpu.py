"""CPU time from /proc: of a tree of processes, and of the whole machine.

A tree's time is that of its live processes plus that of the children each of them has waited for,
so a process that ends inside a block still counts. The kernel keeps these times in ticks of 10 ms.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import database

TICK = 1 / os.sysconf('SC_CLK_TCK')
PROC = Path('/proc')


@dataclass(frozen=True, slots=True)
class Machine:
    """Seconds of all cores together since the machine started."""

    busy: float
    stolen: float


def machine() -> Machine:
    """The machine's clock of work."""
    times = [int(text) * TICK for text in (PROC / 'stat').read_text().split('\n', 1)[0].split()[1:]]
    user, nice, system, _idle, _waiting, irq, softirq, steal = times[:8]
    return Machine(user + nice + system + irq + softirq, steal)


def stat(pid: int) -> list[str]:
    """The fields of a process after its name: [1] is its parent, [11] to [14] its times."""
    return (PROC / str(pid) / 'stat').read_text().rpartition(')')[2].split()


def tree(root: int) -> float:
    """Seconds that a process and all that it started have used."""
    return TICK * sum(sum(map(int, fields[11:15])) for fields in family(root).values())


def family(root: int) -> dict[int, list[str]]:
    """A process and all that descend from it."""
    everybody = snapshot()
    children: dict[int, list[int]] = {}
    for pid, fields in everybody.items():
        children.setdefault(int(fields[1]), []).append(pid)
    found, waiting = {}, [root]
    while waiting:
        pid = waiting.pop()
        if pid in everybody:
            found[pid] = everybody[pid]
            waiting += children.get(pid, ())
    return found


def snapshot() -> dict[int, list[str]]:
    """Every process that is there for long enough to be read."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = stat(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def database_root() -> int | None:
    """The server's main process, or None when it does not run on this machine in our sight."""
    if database.engine() != 'postgresql':
        return None
    with psycopg.connect(database.url()) as session:
        backend = session.info.backend_pid
        try:
            name = (PROC / str(backend) / 'cmdline').read_text()
            return int(stat(backend)[1]) if name.startswith('postgres') else None
        except FileNotFoundError:
            return None
