"""Events: what the journal has to tell, told after the commit to functions and to webhooks."""

from backstay.events.declaration import Event, on

__all__ = ['Event', 'on']
