"""The pages of identity in the admin. Nothing secret is on any of them, and the ladder holds."""

from backstay.identity.admin import (
    account_pages,
    entrance,
    group_pages,
    history_pages,
    key_pages,
    owned_pages,
)

__all__ = [
    'account_pages',
    'entrance',
    'group_pages',
    'history_pages',
    'key_pages',
    'owned_pages',
]
