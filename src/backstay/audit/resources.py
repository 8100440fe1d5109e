"""The audit as a resource: an account sees its own lines, the highest level all of them."""

from django.db.models import Q

from backstay.audit.models import SecurityEvent
from backstay.resources.declaration.conditions import CallerValue
from backstay.resources.declaration.grants import ALL, Grant, Who, trusted
from backstay.resources.declaration.resource import Resource

_ASKED_BY = (
    'id',
    'at',
    'action',
    'outcome',
    'account_id',
    'actor',
    'request_id',
    'session',
    'resource',
)


class SecurityEventResource(Resource):
    """What happened to accounts and their secrets, and who read what."""

    class Meta:
        model = SecurityEvent
        fields = (*_ASKED_BY, 'actor_name', 'address', 'agent', 'detail')
        filterable = (*_ASKED_BY, 'address')
        orderable = ('id', 'at')
        ordering = ('-id',)
        count = 'estimate'

    grants = (
        Grant(
            Who(kinds=frozenset({'account'})),
            read=ALL,
            rows=Q(account_id=CallerValue('account_id')),
        ),
        Grant(Who(kinds=frozenset({'account', 'key'}), own_level=4), read=ALL),
        Grant(trusted, read=ALL),
    )
