"""References of bodies, looked up among the rows that the caller may see."""

from collections.abc import Mapping, Sequence

from django.db import models

from backstay.errors import escape_pointer
from backstay.resources.declaration.readable import Readable
from backstay.resources.write.change import Batch
from backstay.resources.write.finding import seen_values
from backstay.resources.write.members import writable, writable_relations

NO_SUCH_REFERENCE = 'There is no such row.'


def look_up_references(batch: Batch) -> None:
    """Refuse references to missing rows, and in the same way to rows the caller may not see."""
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


def refuse_doomed_references(batch: Batch) -> None:
    """Refuse references and links to rows that the same request deletes, also in lists below."""
    doomed: dict[type[models.Model], list[models.Model]] = {}
    for each in batch.tree():
        rows = [change.row for change in each.open('delete') if change.row is not None]
        doomed.setdefault(each.resource.options.model, []).extend(rows)
    if not any(doomed.values()):
        return
    for each in batch.tree():
        _refuse_doomed(each, doomed)


def _refuse_doomed(
    batch: Batch, doomed: Mapping[type[models.Model], Sequence[models.Model]]
) -> None:
    for member in writable(batch.resource).values():
        if member.reference is None:
            continue
        rows = doomed.get(member.reference.target.options.model, ())
        gone = {getattr(row, member.reference.back) for row in rows}
        for change in batch.open('create', 'update'):
            if change.values.get(member.attribute) in gone:
                pointer = f'/{escape_pointer(member.name)}'
                change.refuse(pointer, 'reference-not-found', NO_SUCH_REFERENCE)
    for name, relation in writable_relations(batch.resource).items():
        gone = {row.pk for row in doomed.get(relation.target.options.model, ())}
        for change in batch.open('create', 'update'):
            for at, key in enumerate(change.links.get(name, ())):
                if key in gone:
                    pointer = f'/{escape_pointer(name)}/{at}'
                    change.refuse(pointer, 'reference-not-found', NO_SUCH_REFERENCE)
