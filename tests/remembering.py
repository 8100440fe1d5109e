"""The URLs that Django would read anew for each test, although no test has changed them.

To read those of a site takes as long as fifty empty requests, where one of them has to be named.
"""

from typing import Any

from django.core.signals import setting_changed
from django.test.signals import root_urlconf_changed
from django.urls import set_urlconf


def remember_urls() -> None:
    """Keep URLs that were read when a test sets others: each URLconf has a resolver of its own."""
    setting_changed.disconnect(root_urlconf_changed)
    setting_changed.connect(_take_other_urls)


def _take_other_urls(*, setting: str, **_: Any) -> None:
    if setting == 'ROOT_URLCONF':
        set_urlconf(None)
