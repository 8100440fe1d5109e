"""A resource as a caller may read it: the one place through which everything touches a resource.

Masks, filters and orders ask a `Readable` for fields and relations, and never the resource or the
model. What the caller may not read is not there, so that it answers exactly like a name that does
not exist (rules L2 and L4). Which rows it has, and which fields
each row, is written in `backstay.resources.plan.rights`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from backstay.caller import STRANGER, Standing
from backstay.resources.declaration.conditions import settle
from backstay.resources.declaration.grants import Grant
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field, Relation, primary_key_of


@dataclass(frozen=True, slots=True)
class Readable:
    """A resource, seen by callers of a standing. Equal ones give the same SQL."""

    resource: type[Resource]
    standing: Standing = STRANGER
    #: The caller's standing to write, by which softly deleted rows that it may restore are seen
    #: too; None where they are not asked for, and always through a relation.
    restoring: Standing | None = None

    @property
    def fields(self) -> Mapping[str, Field]:
        """The values that some row may show to the caller."""
        return _seen(self).fields

    @property
    def relations(self) -> Mapping[str, Relation]:
        """The relations that some row may show to the caller, and those behind them."""
        return _seen(self).relations

    @property
    def shown(self) -> Mapping[str, Relation]:
        """Those of the relations that masks may name; parents can only be asked about."""
        return _seen(self).shown

    @property
    def names(self) -> Sequence[str]:
        """Every name that some row may show: values, then relations."""
        return (*self.fields, *self.shown)

    @property
    def primary_key(self) -> Field:
        """The primary key, which ends every order, whether it is shown or not."""
        return primary_key_of(self.resource.options.model)

    @property
    def grants(self) -> Sequence[Grant]:
        """The grants to read that apply to the caller, the highest first."""
        return _seen(self).grants

    def always_shows(self, name: str) -> bool:
        """Whether every row there can be is seen, and shows this field."""
        if not self.grants:
            return False
        lowest = self.grants[-1].covers(self.resource.options.model)
        return settle(lowest, self.standing) is True and all(
            grant.reads(name) for grant in self.grants
        )

    def through(self, relation: Relation) -> 'Readable':
        """Return the target of a relation, as the same caller may read it."""
        return Readable(relation.target, self.standing)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The parts of a resource that callers of a standing may read."""

    fields: Mapping[str, Field]
    relations: Mapping[str, Relation]
    shown: Mapping[str, Relation]
    #: The grants that apply, the highest first.
    grants: tuple[Grant, ...]


@lru_cache(maxsize=4_096)
def _seen(readable: Readable) -> _Seen:
    resource, standing = readable.resource, readable.standing
    applying = tuple(_applying(resource, standing))

    def granted(name: str) -> bool:
        return any(grant.reads(name) for grant in applying)

    relations = {
        name: relation
        for name, relation in resource.relations().items()
        if granted(name) and _seen_target(relation, standing)
    }
    for name, hop in resource.hops().items():
        first = relations.get(hop.via)
        between = _applying(first.target, standing) if first else ()
        if any(grant.reads(hop.then) for grant in between) and _seen_target(hop, standing):
            relations[name] = hop
    return _Seen(
        fields={name: field for name, field in resource.fields().items() if granted(name)},
        relations=relations,
        shown={name: relation for name, relation in relations.items() if relation.is_shown},
        grants=applying,
    )


def _applying(resource: type[Resource], standing: Standing) -> Iterator[Grant]:
    """Yield the grants to read that may decide about a row, down to the first of all rows."""
    for grant in reversed(resource.grants):
        if not (grant.read and grant.who.includes(standing)):
            continue
        covered = settle(grant.covers(resource.options.model), standing)
        if covered is not False:
            yield grant
        if covered is True:
            return


def _seen_target(relation: Relation, standing: Standing) -> bool:
    """Return whether anything of the target may be read; a relation to nothing is not there."""
    return any(_applying(relation.target, standing))
