"""Mail of a deployed site that was told of no server: it goes nowhere, and the log says so."""

from collections.abc import Sequence

import structlog
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_log: structlog.stdlib.BoundLogger = structlog.get_logger('backstay.mail')


class Nowhere(BaseEmailBackend):
    """Sends nothing, and logs what it did not send.

    A line has the subject and the domains of the recipients. Texts carry codes, and addresses are
    people's own: neither belongs in a log.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Log each message; none was sent."""
        for message in email_messages:
            to = message.recipients()
            domains = sorted({address.rpartition('@')[2] for address in to})
            _log.warning(
                'mail-not-sent', subject=message.subject, recipients=len(to), domains=domains
            )
        return 0
