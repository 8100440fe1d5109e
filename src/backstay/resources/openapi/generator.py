"""The generator of documents: `DEFAULT_GENERATOR_CLASS` of a site."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import get_class


class DocumentGenerator(SchemaGenerator):
    """Generates a document out of objects that no other document sees.

    Django REST Framework keeps one schema for all views of a class, and drf-spectacular keeps in it
    what it describes at the moment: two documents at once would be mixed.
    """

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        """Return the view with a schema of its own."""
        view = super().create_view(callback, method, request)  # type: ignore[no-untyped-call]
        own = get_class(view.schema)()
        self._set_schema_to_view(view, own)  # type: ignore[no-untyped-call]
        return view
