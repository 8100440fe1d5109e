"""Mail of a deployed site without a mail server: it is not sent, and the log says so."""

from collections.abc import Sequence

import structlog
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_log: structlog.stdlib.BoundLogger = structlog.get_logger('backstay.mail')


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
