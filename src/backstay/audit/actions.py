"""What the audit records: each action once, with its meaning. The reference's table is this one."""

from typing import Final

ACTIONS: Final = {
    'sign-up': 'An account was made by the person themselves.',
    'sign-in': 'An account signed in; refused: the name or the password was wrong.',
    'sign-out': 'A session was ended by the one who used it.',
    'sign-in-locked': 'So many passwords were wrong that the name is locked for a while.',
    'sign-in-unlock': 'A name that was locked was opened, by staff or by a command.',
    'session-end': 'A session was ended from another one, or by staff.',
    'session-expire': 'A session was used that had been idle or lasted for too long, and ended.',
    'refresh-reuse': 'A refresh token came a second time, which ended its session.',
    'reauthenticate': 'A session proved again who uses it.',
    'factor-add': 'A second factor was added.',
    'factor-remove': 'A second factor was removed.',
    'factor-reset': 'Recovery codes were made anew.',
    'factor-use': 'A second factor was asked; refused: its code was wrong.',
    'password-change': 'The password was changed or set.',
    'password-reset': 'The password was set with a code that was mailed.',
    'email-change': 'The address of mail was changed.',
    'email-undo': 'The old address of mail was taken back, which ended all sessions.',
    'email-confirm': 'An address of mail was confirmed.',
    'key-create': 'An API key was made.',
    'key-revoke': 'An API key was revoked.',
    'key-use': 'An API key was refused, because of its address, its end or its secret.',
    'account-change': 'Level, status or rights in the admin changed; before and after are told.',
    'account-create': 'An account was made by somebody else, or by a command.',
    'data-export': 'Everything held about an account was exported.',
    'account-erase': 'What was held about an account was erased.',
    'read': 'Rows of a resource that asks for it (`audited_reads`) were read.',
}
