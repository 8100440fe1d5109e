"""The form of log lines."""

import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

LogTo = Callable[..., io.StringIO]


def test_standard_logging_and_structlog_give_the_same_json(log_to: LogTo) -> None:
    stream = log_to(as_json=True, level='INFO')
    logging.getLogger('a').info('said %s', 'x', extra={'count': 3})
    structlog.get_logger('a').info('said x', count=3)
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    first.pop('timestamp'), second.pop('timestamp')
    assert first == second == {'event': 'said x', 'level': 'info', 'logger': 'a', 'count': 3}


def test_times_are_utc(log_to: LogTo) -> None:
    stream = log_to(as_json=True, level='INFO')
    logging.getLogger('a').info('now')
    said = json.loads(stream.getvalue())['timestamp']
    assert said.endswith('Z')
    assert abs(datetime.fromisoformat(said) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_line_break_in_a_value_does_not_break_the_line(log_to: LogTo) -> None:
    stream = log_to(as_json=True, level='INFO')
    logging.getLogger('a').info('one\ntwo')
    assert stream.getvalue().count('\n') == 1


def test_an_exception_is_a_field(log_to: LogTo) -> None:
    stream = log_to(as_json=True, level='INFO')
    try:
        raise ValueError('why')
    except ValueError:
        logging.getLogger('a').exception('failed')
    assert 'ValueError: why' in json.loads(stream.getvalue())['exception']


def test_the_level_hides_what_is_below(log_to: LogTo) -> None:
    stream = log_to(as_json=True, level='WARNING')
    logging.getLogger('a').info('hidden')
    structlog.get_logger('b').info('hidden')
    assert stream.getvalue() == ''


def test_a_developer_reads_one_short_line_per_request(log_to: LogTo) -> None:
    stream = log_to(as_json=False, level='INFO')
    structlog.get_logger('request.summary').info(
        'request', method='GET', path='/a\nb', status=200, t=12, agent='curl', rid='abcdefgh'
    )
    assert stream.getvalue()[8:] == ' [info] GET /a\\nb 200 12 ms\n'


def test_a_local_traceback_shows_no_values_of_variables(log_to: LogTo) -> None:
    stream = log_to(as_json=False, level='INFO')
    hidden = 'value of a variable'
    try:
        raise ValueError(len(hidden))
    except ValueError:
        logging.getLogger('a').exception('failed')
    assert 'ValueError: 19' in stream.getvalue()
    assert hidden not in stream.getvalue().replace("hidden = 'value of a variable'", '')


def test_a_suspicious_host_is_one_line_without_a_traceback(log_to: LogTo) -> None:
    stream = log_to(as_json=True, level='INFO')
    try:
        raise ValueError('Invalid HTTP_HOST header')
    except ValueError as error:
        logging.getLogger('django.security.DisallowedHost').error(str(error), exc_info=error)
    line = json.loads(stream.getvalue())
    assert line['level'] == 'warning'
    assert 'exception' not in line
