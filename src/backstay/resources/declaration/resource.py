"""`Resource`: what a model looks like from outside, declared once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from django.db import models

from backstay.resources.declaration.fields import Declared
from backstay.resources.declaration.grants import Grant
from backstay.resources.declaration.hooks import Hooks
from backstay.resources.declaration.registry import register
from backstay.resources.declaration.shape import Field, Relation, ResolvedMembers
from backstay.resources.errors import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`Meta` of a resource, with everything that it left out."""

    model: type[models.Model]
    #: The name of the resource in `model` of filters; the model's class name unless given.
    name: str
    default_mask: str
    #: Field that the path of one object names.
    lookup: str
    ordering: tuple[str, ...]
    #: Whether its lists are short however large the table is, so that its order needs no index.
    short_lists: bool
    page_size: int
    max_page_size: int
    count: Literal['exact', 'estimate', 'none']
    #: Integer field that every write raises by one, and that the ETag of an object begins with.
    version: str
    #: Nullable date and time; a row that has one is deleted, and can be restored.
    soft_delete: str
    #: Fields that name a row beside its key: what an upsert finds it by.
    natural_key: tuple[str, ...]
    #: Field that tells whose row it is, in the journal and to webhooks.
    tenant: str
    #: Fields that the journal masks.
    sensitive: tuple[str, ...]
    #: Whether its changes are told as events.
    events: bool
    #: Whether the audit records who read it, in whatever way.
    audited_reads: bool
    #: Verbs beside the usual ones that the service records of its rows, such as `placed`.
    verbs: tuple[str, ...]
    #: Whether PUT replaces an object.
    put: bool
    #: Whether changes of an object must say which version they mean.
    require_if_match: bool
    #: Kinds of actions that must come with an Idempotency-Key; an update is a PATCH or a PUT.
    require_idempotency_key: tuple[str, ...]

    def needs_key(self, action: str) -> bool:
        """Return whether an action, such as `partial_update`, needs an Idempotency-Key."""
        kind = 'bulk' if action.startswith('bulk') else action.replace('partial_', '')
        return kind in self.require_idempotency_key


#: Attributes that `Meta` may hold in place of the class, where a member has the same name.
_IN_META = frozenset({'grants', 'hooks'})


class Resource:
    """A model as it looks from outside. Subclass it and declare.

        class BookResource(Resource):
            class Meta:
                model = Book
                fields = ('id', 'title', 'price', 'publisher_id')
                default_mask = '{id,title}'

            reviews = Many('ReviewResource')

    `Meta` takes `model`, `fields`, and if wanted `name`, `default_mask`, `lookup`, `ordering`,
    `short_lists`, `filterable`, `orderable`, `page_size`, `max_page_size`, `count`,
    `audited_reads`; for writes `version`, `soft_delete`, `natural_key`, `tenant`, `sensitive`,
    `events`, `verbs`, `put`, `require_if_match`, `require_idempotency_key`; and `grants` and
    `hooks`, where a member is called so. Mistakes are found by Django's system checks at start-up.
    """

    Meta: ClassVar[type]
    options: ClassVar[Options]
    declared: ClassVar[dict[str, Declared]]
    #: Its grants, from the lowest to the highest; nobody may do anything else.
    grants: ClassVar[Sequence[Grant]] = ()
    #: Rules of its writes that a declaration cannot say.
    hooks: ClassVar[Hooks] = Hooks()
    _members: ClassVar[ResolvedMembers]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared = {name: value for name, value in vars(cls).items() if isinstance(value, Declared)}
        # A member may be called as something of the class itself, such as `fields`: members live
        # in `declared` alone, so that what the class has stays what it is.
        for name in declared:
            delattr(cls, name)
        cls.declared = declared
        cls.options = _options(cls)
        for name in _IN_META & vars(cls.Meta).keys():
            setattr(cls, name, getattr(cls.Meta, name))
        cls._members = ResolvedMembers(cls)
        register(cls)

    @classmethod
    def fields(cls) -> Mapping[str, Field]:
        """Its values, in the order in which they are declared."""
        return cls._members.fields

    @classmethod
    def relations(cls) -> Mapping[str, Relation]:
        """Its relations, in the order in which they are declared."""
        return cls._members.relations

    @classmethod
    def hops(cls) -> Mapping[str, Relation]:
        """The second halves of what it declares as `Through`, by the name of the whole."""
        return cls._members.hops


def _options(resource: type[Resource]) -> Options:
    meta = vars(resource).get('Meta')
    if meta is None or not hasattr(meta, 'model'):
        raise DeclarationError(f'{resource.__name__} needs a class Meta with a model')
    given = {name: value for name, value in vars(meta).items() if not name.startswith('_')}
    known = {*Options.__dataclass_fields__, 'fields', 'filterable', 'orderable', *_IN_META}
    if unknown := sorted(set(given) - known):
        raise DeclarationError(f'{resource.__name__}.Meta has unknown options: {unknown}')
    model: type[models.Model] = meta.model
    defaults: dict[str, Any] = {
        'name': model.__name__,
        'default_mask': '',
        'lookup': 'id',
        'ordering': ('-pk',),
        'short_lists': False,
        'page_size': 20,
        'max_page_size': 100,
        'count': 'exact',
        'version': '',
        'soft_delete': '',
        'natural_key': (),
        'tenant': '',
        'sensitive': (),
        'events': True,
        'audited_reads': False,
        'verbs': (),
        'put': False,
        'require_if_match': False,
        'require_idempotency_key': ('bulk',),
    }
    chosen = {name: given.get(name, default) for name, default in defaults.items()}
    for name, default in defaults.items():
        if isinstance(default, tuple):
            chosen[name] = tuple(chosen[name])
    return Options(model=model, **chosen)
