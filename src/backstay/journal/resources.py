"""The journal as a resource: who changed what, when, and how it was before."""

from django.db.models import IntegerField, Q, Value

from backstay.engine.comparisons import compare
from backstay.engine.slots import Slot
from backstay.journal.models import Entry
from backstay.resources.declaration.grants import ALL, Grant, Who, trusted
from backstay.resources.declaration.resource import Resource


def own_level(least: int) -> Q:
    """Rows of a grant: all of them for callers whose own level is enough, and otherwise none.

    `level(4)` alone also means who holds level 4 over one thing only.
    """
    number = IntegerField()
    return Q(compare(Slot('caller:level', number), '>=', Value(least, output_field=number)))


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
        Grant(Who(kinds=frozenset({'account', 'key'}), level=4), read=ALL, rows=own_level(4)),
        Grant(trusted, read=ALL),
    )
