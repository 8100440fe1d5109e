"""The journal as a resource: who changed what, when, and how it was before."""

from backstay.journal.models import Entry
from backstay.resources.declaration.grants import ALL, Grant, Who, trusted
from backstay.resources.declaration.resource import Resource


class AuditResource(Resource):
    """Every change, for accounts and keys of level 4 and up.

    A service that lets others read theirs declares a resource over `Entry` with grants of its own,
    such as `rows=Q(tenant__in=Scope('companies', 3))`.
    """

    class Meta:
        model = Entry
        name = 'Audit'
        fields = (
            'id',
            'at',
            'request_id',
            'actor',
            'actor_name',
            'verb',
            'resource',
            'aggregate',
            'object_id',
            'sequence',
            'tenant',
            'before',
            'after',
        )
        default_mask = (
            '{id,at,request_id,actor,actor_name,verb,resource,aggregate,object_id,sequence,tenant}'
        )
        filterable = (
            'id',
            'at',
            'request_id',
            'actor',
            'verb',
            'resource',
            'aggregate',
            'object_id',
            'sequence',
            'tenant',
        )
        orderable = ('id', 'at', 'sequence')
        ordering = ('-id',)
        count = 'estimate'

    grants = (
        Grant(Who(kinds=frozenset({'account', 'key'}), own_level=4), read=ALL),
        Grant(trusted, read=ALL),
    )
