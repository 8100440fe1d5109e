"""The audit of identity: who signed in, what became of keys, factors and rights, who read what.

The journal tells what became of rows; this tells what became of accounts and their secrets, and who
read the rows of resources that ask for it.
"""

from typing import TYPE_CHECKING

from backstay.faces import imported_later

if TYPE_CHECKING:
    from backstay.audit.models import SecurityEvent
    from backstay.audit.recording import record

__all__ = ['SecurityEvent', 'record']

__getattr__ = imported_later(__name__, {'SecurityEvent': 'models', 'record': 'recording'})
