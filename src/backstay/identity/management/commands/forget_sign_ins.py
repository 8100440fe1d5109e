"""`backstay forget_sign_ins`: delete the remains of signing in; to be run once a day."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from backstay.audit.recording import forget_old_events
from backstay.identity.counters import forget_old_counters
from backstay.identity.email_changes import forget_old_changes
from backstay.identity.session_store import forget_ended_sessions
from backstay.identity.tokens import forget_dead_pairs


class Command(BaseCommand):
    """Deletes expired sessions, tokens, counters and changes of addresses."""

    help = __doc__ or ''

    def handle(self, *_: Any, **_options: Any) -> None:
        """Delete them, and report the numbers."""
        call_command('clearsessions')
        forget_ended_sessions()
        pairs, counters = forget_dead_pairs(), forget_old_counters()
        changes = forget_old_changes()
        events = forget_old_events(timedelta(days=settings.BACKSTAY.audit_days))
        self.stdout.write(
            f'Deleted {pairs} token pairs, {counters} counters, {changes} changes of addresses '
            f'and {events} lines of the audit.'
        )
