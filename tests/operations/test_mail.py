"""Mail without a server (platform contract P51)."""

import io
import json
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage, get_connection

LogTo = Callable[..., io.StringIO]


def test_nothing_is_sent_and_the_log_has_a_summary_without_addresses_and_texts(
    log_to: LogTo,
) -> None:
    stream = log_to(as_json=True, level='INFO')
    nowhere = get_connection('backstay.operations.mail.Nowhere')
    message = EmailMessage('Your code', 'It is 123456.', to=['ann@a.example', 'bob@b.example'])

    sent = nowhere.send_messages([message])

    line = json.loads(stream.getvalue())
    line.pop('timestamp')
    assert (sent, line) == (
        0,
        {
            'event': 'mail-not-sent',
            'level': 'warning',
            'logger': 'backstay.mail',
            'subject': 'Your code',
            'recipients': 2,
            'domains': ['a.example', 'b.example'],
        },
    )


def test_a_developer_sees_it_beside_what_a_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = get_connection('backstay.operations.mail.Terminal')

    terminal.send_messages([EmailMessage('Your code', 'It is 123456.', to=['ann@a.example'])])

    printed = capsys.readouterr()
    assert printed.out == ''
    assert 'It is 123456.' in printed.err
