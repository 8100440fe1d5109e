"""Log lines: JSON for machines, short lines for developers.

Standard logging and structlog both end here. Every line of a request carries its id, bound by
`backstay.operations.requests`.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

#: Objects that Django attaches to its own records; they say nothing to a reader.
_OBJECTS = ('request', 'server_time')


def configure(options: Mapping[str, Any]) -> None:
    """Configure logging as Django's LOGGING_CONFIG: `as_json` is the form, `level` the least level.

    Lines go to standard error, so that a command's own output stays clean.
    """
    as_json = bool(options['as_json'])
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt='iso' if as_json else '%H:%M:%S', utc=as_json),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _drop_objects,
            *_renderers(as_json),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options['level'])
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    _quieten_django()


def _renderers(as_json: bool) -> list[Processor]:
    """Return the processors that make a line of text of a record."""
    if as_json:
        return [
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    # The plain traceback: the pretty one prints the values of local variables, secrets included.
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=structlog.dev.plain_traceback,
        pad_event_to=0,
        pad_level=False,
    )
    return [_shorten_summary, renderer]


def _drop_objects(
    _logger: Any, _name: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key in _OBJECTS:
        line.pop(key, None)
    return line


def _shorten_summary(
    _logger: Any, _name: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Write `GET /docs/ 200 12 ms` instead of ten fields; escape control characters of the path."""
    if line.get('logger') != 'request.summary':
        return line
    path = line['path'].encode('unicode_escape').decode('ascii')
    event = f'{line["method"]} {path} {line["status"]} {line["t"]} ms'
    return {'timestamp': line['timestamp'], 'level': line['level'], 'event': event}


class _OnlyFailures(logging.Filter):
    """Drops Django's line about an error status: the request's own line has it, with its id."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


class _WithoutTraceback(logging.Filter):
    """Makes one line of level WARNING of a request that Django rejected as suspicious."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, 'WARNING'
        return True


def _quieten_django() -> None:
    """Remove Django's own handlers, and its lines that only repeat the line of the request."""
    for name in ('django', 'django.server'):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    filters = {'django.request': _OnlyFailures, 'django.security.DisallowedHost': _WithoutTraceback}
    for name, make in filters.items():
        logging.getLogger(name).filters[:] = [make()]
