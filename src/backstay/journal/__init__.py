"""The journal: one entry for each change of a row, written in the transaction of the change."""

from typing import TYPE_CHECKING

from backstay.faces import imported_later

if TYPE_CHECKING:
    from backstay.journal.models import Entry

__all__ = ['Entry']

__getattr__ = imported_later(__name__, {'Entry': 'models'})
