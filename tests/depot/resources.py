"""The depot's resources: whoever is signed in may write everything but buildings."""

from typing import Any

from django.db import models

from backstay.caller import Caller
from backstay.resources import (
    ALL,
    Change,
    Grant,
    Hooks,
    Many,
    Parent,
    Resource,
    anyone,
    level_somewhere,
    signed_in,
)
from tests.depot.models import (
    Annex,
    Article,
    Building,
    Crate,
    Garage,
    Hut,
    Keeper,
    Label,
    Load,
    Lot,
    Mark,
    Place,
    Receipt,
    Serial,
    Shelf,
    Stub,
    Ticket,
    Warehouse,
)

OPEN = (
    Grant(anyone, read=ALL),
    Grant(signed_in, read=ALL, write=ALL, create=ALL, delete=True),
)


def refer_to_nobody(change: Change, _caller: Caller) -> None:
    """Set a reference that leads nowhere, which the database notices at the end."""
    if change.values.get('name') == 'dangling':
        change.values['keeper_id'] = 999_999


class PlaceResource(Resource):
    class Meta:
        model = Place
        fields = (
            'id',
            'shelf_id',
            'name',
            'position',
            'is_live',
            'label',
            'serial',
            'rank',
            'low',
            'high',
        )
        require_idempotency_key = ()

    shelf = Parent('ShelfResource')
    hooks = Hooks(before=(refer_to_nobody,))
    grants = OPEN


class ArticleResource(Resource):
    class Meta:
        model = Article
        fields = ('id', 'shelf_id', 'sku', 'title', 'version')
        natural_key = ('shelf_id', 'sku')
        soft_delete = 'deleted_at'
        version = 'version'
        require_idempotency_key = ()

    shelf = Parent('ShelfResource')
    grants = OPEN


class ShelfResource(Resource):
    class Meta:
        model = Shelf
        fields = ('id', 'name', 'below_id', 'version')
        version = 'version'
        require_idempotency_key = ()

    below = Parent('ShelfResource')
    places = Many(PlaceResource, writable=True)
    articles = Many(ArticleResource, writable=True)
    grants = OPEN


def _simple(model_: type[models.Model], *fields_: str, **parents: Any) -> type[Resource]:
    class Meta:
        model = model_
        fields = ('id', *fields_)
        version = 'version' if 'version' in fields_ else ''
        require_idempotency_key = ()

    members = {'Meta': Meta, 'grants': OPEN, '__module__': __name__, **parents}
    return type(f'{model_.__name__}Resource', (Resource,), members)


def _shelf() -> Parent:
    return Parent(ShelfResource)


CrateResource = _simple(
    Crate,
    'nulled_id',
    'defaulted_id',
    'set_to_id',
    'version',
    'updated_at',
    nulled=_shelf(),
    defaulted=_shelf(),
    set_to=_shelf(),
)
LoadResource = _simple(Load, 'version')
LabelResource = _simple(Label, 'shelf_id', 'version', shelf=_shelf())
MarkResource = _simple(Mark, 'label_id', 'version', label=Parent(LabelResource))
TicketResource = _simple(Ticket, 'shelf_id', 'version', shelf=_shelf())
StubResource = _simple(Stub, 'ticket_id', 'version', ticket=Parent(TicketResource))
ReceiptResource = _simple(Receipt, 'shelf_id', 'version', shelf=_shelf())
LotResource = _simple(Lot, 'quantity', 'price', 'total')
KeeperResource = _simple(Keeper, 'name')
SerialResource = _simple(Serial, 'number', 'word')


class BuildingResource(Resource):
    class Meta:
        model = Building
        fields = ('id', 'name', 'version')
        version = 'version'

    grants = (
        Grant(anyone, read=ALL),
        Grant(level_somewhere(4), read=ALL, write=ALL, create=ALL, delete=True),
    )


class WarehouseResource(Resource):
    class Meta:
        model = Warehouse
        fields = ('host_id', 'name', 'gates', 'version')
        lookup = 'host_id'
        version = 'version'
        require_idempotency_key = ()

    host = Parent(BuildingResource)
    grants = OPEN


class GarageResource(Resource):
    class Meta:
        model = Garage
        fields = ('host_id', 'name', 'colour', 'edition')
        lookup = 'host_id'
        version = 'edition'

    host = Parent(BuildingResource)
    grants = OPEN


class AnnexResource(Resource):
    class Meta:
        model = Annex
        fields = ('id', 'name')
        soft_delete = 'deleted_at'

    grants = OPEN


class HutResource(Resource):
    class Meta:
        model = Hut
        fields = ('host_id', 'name')
        lookup = 'host_id'
        soft_delete = 'deleted_at'

    host = Parent(AnnexResource)
    grants = OPEN


SERVED: dict[str, type[Resource]] = {
    'annexes': AnnexResource,
    'articles': ArticleResource,
    'buildings': BuildingResource,
    'crates': CrateResource,
    'garages': GarageResource,
    'huts': HutResource,
    'keepers': KeeperResource,
    'labels': LabelResource,
    'loads': LoadResource,
    'lots': LotResource,
    'marks': MarkResource,
    'places': PlaceResource,
    'receipts': ReceiptResource,
    'serials': SerialResource,
    'shelves': ShelfResource,
    'stubs': StubResource,
    'tickets': TicketResource,
    'warehouses': WarehouseResource,
}
