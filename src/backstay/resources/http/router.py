"""Routes of resources: one line each."""

from typing import Any

from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ViewSetMixin

from backstay.resources.declaration.resource import Resource
from backstay.resources.http.view_set import ResourceViewSet


class ResourceRouter(SimpleRouter):
    """DRF's router, which also takes a resource where it takes a view set."""

    def register(
        self,
        prefix: str,
        viewset: type[Resource] | type[ViewSetMixin],
        basename: str | None = None,
    ) -> None:
        """Serve a resource, or a view set, under a prefix.

        Routes are called `<basename>-list`, `-query` and `-detail`, operations of the OpenAPI
        document `<basename>_list` and so on. The base name is the resource's own, in lower case,
        unless given.
        """
        if issubclass(viewset, Resource):
            viewset = view_set_of(viewset)
        super().register(prefix, viewset, basename)

    def get_default_basename(self, viewset: type[ViewSetMixin]) -> str:
        """Return the name of the resource; of other view sets, the name that DRF makes."""
        if issubclass(viewset, ResourceViewSet):
            return viewset.resource.options.name.lower()
        return str(super().get_default_basename(viewset))


def view_set_of(resource: type[Resource], **attributes: Any) -> type[ResourceViewSet]:
    """Return the view set of a resource; `attributes` are DRF's, such as `permission_classes`."""
    name = f'{resource.__name__.removesuffix("Resource")}ViewSet'
    return type(name, (ResourceViewSet,), {'resource': resource, **attributes})
