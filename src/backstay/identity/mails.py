"""Mail sent after the commit from a thread of its own, so that no answer waits for it.

The time of an answer must not reveal that an account exists, because only those get mail.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import structlog
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

_log: structlog.stdlib.BoundLogger = structlog.get_logger('backstay.identity')
#: Letters and digits of every script are words; `.`, `/`, `:` and `@` could make links.
_NO_WORD = re.compile(r"[^\w' -]+")
_LONGEST_NAME = 60
#: One at a time: mail that waits when the process ends is still sent.
_postman = ThreadPoolExecutor(max_workers=1, thread_name_prefix='mail')


def plain_name(text: str) -> str:
    """Return what somebody called something as mails may show it: short, no link, one line.

    >>> plain_name('Win at\nhttps://evil.example/x, now!')
    'Win at https evil example x now'
    """
    return ' '.join(_NO_WORD.sub(' ', text)[:_LONGEST_NAME].split())


def send_soon(template: str, email: str, context: dict[str, Any]) -> None:
    """Send `identity/email/<template>_subject.txt` and `_message.txt` after the commit.

    The context must be plain values: the thread asks no database.
    """
    send = partial(_postman.submit, _send, template, email, context)
    transaction.on_commit(send)


def _send(template: str, email: str, context: dict[str, Any]) -> None:
    subject, text = (
        render_to_string(f'identity/email/{template}_{part}.txt', context).strip()
        for part in ('subject', 'message')
    )
    try:
        send_mail(subject, text, None, [email])
    except OSError as error:  # smtplib's exceptions are among them
        _log.error('mail-failed', template=template, error=type(error).__name__)
