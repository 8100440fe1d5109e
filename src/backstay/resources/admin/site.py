"""The site of the admin, whose pages have an address whenever their model is registered."""

from typing import Any

from django.contrib import admin
from django.urls import clear_url_caches


class LateAdminSite(admin.AdminSite):
    """Django's admin site, with addresses for models that are registered after its URLs were read.

    Django makes them once: the index then fails over an app that is not among them.
    """

    _patterns: list[Any] | None = None

    @property
    def urls(self) -> Any:
        """Return what `path` takes: one list for all who ask, kept up to date."""
        if self._patterns is None:
            self._patterns = self.get_urls()
        return self._patterns, 'admin', self.name

    def register(self, *args: Any, **kwargs: Any) -> None:
        """Register models as Django does."""
        super().register(*args, **kwargs)
        self._read_again()

    def unregister(self, *args: Any, **kwargs: Any) -> None:
        """Take models out as Django does."""
        super().unregister(*args, **kwargs)
        self._read_again()

    def _read_again(self) -> None:
        if self._patterns is not None:
            self._patterns[:] = self.get_urls()
            clear_url_caches()
