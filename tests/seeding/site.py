"""Settings of a site whose one service is the seeded bookshop."""

from backstay.services import Service
from tests.django_settings import *  # noqa: F403 a settings module is a namespace

BOOKSHOP = Service(
    name='bookshop', title='Bookshop', apps=(), urls={}, seeds='tests.seeding.seeds.SEEDS'
)
BACKSTAY_SERVICES = (BOOKSHOP,)
