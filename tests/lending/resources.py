"""The lending library's resources: every way of letting somebody write."""

from django.db.models import Q

from backstay.caller import Caller
from backstay.resources import (
    ALL,
    Change,
    Grant,
    Hooks,
    Many,
    One,
    Parent,
    Resource,
    Scope,
    anyone,
    level_somewhere,
    signed_in,
    trusted,
)
from tests.lending.models import Branch, Cover, Item, Keyword, Loan, Mark, Note, Stamp

#: Branches over which somebody holds a level.
BRANCHES_1, BRANCHES_2, BRANCHES_3 = (Scope('branches', level) for level in (1, 2, 3))


class BranchResource(Resource):
    """Seen by those who hold something there; created by commands alone."""

    class Meta:
        model = Branch
        fields = ('id', 'name')
        tenant = 'id'

    grants = (
        Grant(level_somewhere(1), read=ALL, rows=Q(id__in=BRANCHES_1)),
        Grant(level_somewhere(3), read=ALL, write=('name',), rows=Q(id__in=BRANCHES_3)),
        Grant(trusted, read=ALL, write=ALL, create=ALL, delete=True),
    )


class KeywordResource(Resource):
    """Some of which only managers see."""

    class Meta:
        model = Keyword
        fields = ('id', 'word', 'is_secret')
        ordering = ('word',)
        natural_key = ('word',)

    grants = (
        Grant(anyone, read=('id', 'word'), rows=Q(is_secret=False)),
        Grant(
            level_somewhere(3), read=ALL, write=('word',), create=('word', 'is_secret'), delete=True
        ),
    )


class MarkResource(Resource):
    """The children of children."""

    class Meta:
        model = Mark
        fields = ('id', 'note_id', 'sign')

    grants = (
        Grant(anyone, read=ALL),
        Grant(level_somewhere(2), read=ALL, write=('sign',), create=('sign',), delete=True),
    )


class NoteResource(Resource):
    """Children, some of which their parents' writers do not see."""

    class Meta:
        model = Note
        fields = ('id', 'item_id', 'text', 'position', 'is_hidden')
        default_mask = '{id,item_id,text,position}'
        ordering = ('position', 'id')

    marks = Many(MarkResource, ordering=('id',), writable=True, fan_out=2)
    item = Parent('ItemResource')
    grants = (
        Grant(anyone, read=('id', 'item_id', 'text', 'position', 'marks'), rows=Q(is_hidden=False)),
        Grant(
            level_somewhere(2),
            read=('id', 'item_id', 'text', 'position', 'marks'),
            write=('text', 'position', 'marks'),
            create=('text', 'position', 'marks', 'item_id'),
            delete=True,
            rows=Q(item__branch_id__in=BRANCHES_2, is_hidden=False),
        ),
        Grant(
            level_somewhere(3),
            read=ALL,
            write=('text', 'position', 'marks', 'is_hidden'),
            create=('text', 'position', 'marks', 'is_hidden', 'item_id'),
            delete=True,
            rows=Q(item__branch_id__in=BRANCHES_3),
        ),
    )


class CoverResource(Resource):
    """The one child."""

    class Meta:
        model = Cover
        fields = ('id', 'item_id', 'colour')
        default_mask = '{item_id,colour}'

    grants = (
        Grant(anyone, read=ALL),
        Grant(level_somewhere(2), read=ALL, write=('colour',), create=('colour',), delete=True),
    )


class LoanResource(Resource):
    """No version: what a client saw is what it means."""

    class Meta:
        model = Loan
        fields = ('id', 'item_id', 'reader', 'lent_at')
        require_if_match = True

    item = Parent('ItemResource')
    grants = (
        Grant(
            level_somewhere(2),
            read=ALL,
            write=('reader',),
            create=('item_id', 'reader'),
            delete=True,
            rows=Q(item__branch_id__in=BRANCHES_2),
        ),
    )


def refuse_forbidden_titles(change: Change, _caller: Caller) -> None:
    """A rule that no declaration says."""
    if change.value('title') == 'forbidden':
        change.refuse('/title', 'title-forbidden', 'No item is called so.')


def capitalise(change: Change, _caller: Caller) -> None:
    """A value that the server makes of another."""
    if 'title' in change.values:
        change.values['title'] = change.values['title'][:1].upper() + change.values['title'][1:]


class ItemResource(Resource):
    """Versioned, deleted softly, with children of every kind."""

    class Meta:
        model = Item
        fields = (
            'id',
            'branch_id',
            'code',
            'title',
            'status',
            'price',
            'pages',
            'double_pages',
            'details',
            'cost',
            'secret',
            'version',
        )
        default_mask = '{id,branch_id,code,title,status,price,version}'
        ordering = ('id',)
        version = 'version'
        soft_delete = 'deleted_at'
        natural_key = ('code',)
        tenant = 'branch_id'
        sensitive = ('cost',)
        put = True

    branch = Parent(BranchResource)
    cover = One(CoverResource, writable=True)
    notes = Many(NoteResource, writable=True, fan_out=3)
    keywords = Many(KeywordResource, writable=True, fan_out=3)
    hooks = Hooks(validate=(refuse_forbidden_titles,), before=(capitalise,))
    grants = (
        Grant(
            anyone,
            read=('id', 'code', 'title', 'status', 'price', 'notes', 'cover', 'keywords'),
            rows=Q(status='open'),
        ),
        Grant(
            level_somewhere(1),
            read=('id', 'branch_id', 'code', 'title', 'status', 'price', 'version'),
            rows=Q(branch_id__in=BRANCHES_1),
        ),
        Grant(
            level_somewhere(2),
            read=(
                'id',
                'branch_id',
                'code',
                'title',
                'status',
                'price',
                'pages',
                'double_pages',
                'details',
                'version',
                'notes',
                'cover',
                'keywords',
            ),
            write=('title', 'price', 'pages', 'details', 'status', 'notes', 'cover', 'keywords'),
            create=('branch_id', 'code', 'title', 'price', 'notes', 'cover', 'keywords'),
            rows=Q(branch_id__in=BRANCHES_2, status='draft'),
            check=Q(branch_id__in=BRANCHES_2, status__in=('draft', 'open')),
        ),
        Grant(
            level_somewhere(3),
            read=(
                'id',
                'branch_id',
                'code',
                'title',
                'status',
                'price',
                'pages',
                'double_pages',
                'details',
                'cost',
                'version',
                'notes',
                'cover',
                'keywords',
            ),
            write=ALL,
            create=ALL,
            delete=True,
            rows=Q(branch_id__in=BRANCHES_3),
        ),
    )


class StampResource(Resource):
    """Everybody who is signed in may do everything."""

    class Meta:
        model = Stamp
        fields = ('code', 'label', 'amount', 'price', 'printed_on')
        lookup = 'code'
        ordering = ('code',)
        natural_key = ('code',)
        require_idempotency_key = ()

    grants = (
        Grant(anyone, read=ALL),
        Grant(signed_in, read=ALL, write=ALL, create=ALL, delete=True),
    )


SERVED: dict[str, type[Resource]] = {
    'branches': BranchResource,
    'items': ItemResource,
    'keywords': KeywordResource,
    'loans': LoanResource,
    'notes': NoteResource,
    'stamps': StampResource,
}
