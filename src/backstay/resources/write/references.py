"""References: what bodies point at, looked up among the rows that the caller may see."""

from backstay.errors import escape_pointer
from backstay.resources.declaration.readable import Readable
from backstay.resources.write.change import Batch
from backstay.resources.write.finding import seen_values
from backstay.resources.write.members import writable

NO_SUCH_REFERENCE = 'There is no such row.'


def look_up_references(batch: Batch) -> None:
    """Refuse references to rows that are not there, or that the caller may not see, alike."""
    for member in writable(batch.resource).values():
        relation, attribute = member.reference, member.attribute
        if relation is None:
            continue
        changes = [
            change
            for change in batch.open('create', 'update')
            if member.name in change.body and change.values.get(attribute) is not None
        ]
        if not changes:
            continue
        wanted = list({change.values[attribute]: 0 for change in changes})
        readable = Readable(relation.target, batch.caller.standing())
        there = seen_values(batch, readable, relation.back, wanted)
        for change in changes:
            if change.values[attribute] not in there:
                change.refuse(
                    f'/{escape_pointer(member.name)}', 'reference-not-found', NO_SUCH_REFERENCE
                )
