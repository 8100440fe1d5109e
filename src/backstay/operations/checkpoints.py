"""Keeps SQLite's write-ahead log small while readers and writers leave it no pause."""

import time
from threading import Thread

import structlog
from django.db import Error, connection

from backstay.engine import engine_of
from backstay.operations.health import close_connection

#: Bytes that the log may have; it is shortened when it has more, and passes them only in between.
MAX_LOG = 64 * 1024 * 1024

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def keep_log_short(seconds: float = 1.0) -> None:
    """Look at the log every second from now on, in a thread of its own."""

    def run() -> None:
        while True:
            time.sleep(seconds)
            shorten_log(MAX_LOG)

    if connection.vendor == 'sqlite':
        Thread(target=run, daemon=True, name='checkpoints').start()


def shorten_log(most: int) -> None:
    """Shorten the log if it has more bytes; what stands in the way now may be gone next time."""
    try:
        engine_of(connection).shorten_log(connection, most)
    except Error as error:
        _log.warning('the write-ahead log could not be shortened', error=str(error))
    finally:
        close_connection()
