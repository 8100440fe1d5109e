"""The lending library as a process of its own, and who may come there."""

from backstay.caller import Caller, Held
from tests.lending.site import handler400, handler403, handler404, handler500, urlpatterns
from tests.rights.site import MADE

__all__ = ['handler400', 'handler403', 'handler404', 'handler500', 'urlpatterns']

MADE['keeper'] = Caller(
    kind='account', account_id=1, name='keeper', scopes=(Held(over='branches', level=3),)
)
