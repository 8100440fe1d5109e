"""Mail of a site without a mail server: shown to a developer, and not sent by a deployed site."""

import sys
from collections.abc import Sequence
from typing import Any

import structlog
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.console import EmailBackend

_log: structlog.stdlib.BoundLogger = structlog.get_logger('backstay.mail')


class Terminal(EmailBackend):
    """Writes mails to standard error.

    What a command prints to standard output is its answer, and may go into a file.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{'stream': sys.stderr, **options})


class Nowhere(BaseEmailBackend):
    """Sends nothing, and logs each message that it drops.

    A line has the subject and the domains of the recipients. Texts carry codes, and addresses are
    private: neither belongs in a log.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Log each message; return 0, because none was sent."""
        for message in email_messages:
            to = message.recipients()
            domains = sorted({address.rpartition('@')[2] for address in to})
            _log.warning(
                'mail-not-sent', subject=message.subject, recipients=len(to), domains=domains
            )
        return 0
