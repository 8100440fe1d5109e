"""The schema of a view as drf-spectacular asks for it: `DEFAULT_SCHEMA_CLASS` of a site."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry

from backstay.resources.declaration.resource import Resource
from backstay.resources.openapi import read_operations, write_operations
from backstay.resources.openapi.components import Components
from backstay.resources.openapi.operation import Operation


class ResourceSchema(AutoSchema):
    """Describes reads of a resource as its readable view has them, and all else as DRF's are.

    An operation that the reader of the document may not call on any row is not in it.
    """

    #: The operation that is being described; None for an action that is not ours.
    operation: Operation | None = None

    def get_operation(
        self,
        path: str,
        path_regex: str,
        path_prefix: str,
        method: str,
        registry: ComponentRegistry,
    ) -> dict[str, Any] | None:
        """Describe the operation once; drf-spectacular asks for its parts many times."""
        view: Any = self.view
        resource = getattr(view, 'resource', None)
        if isinstance(resource, type) and issubclass(resource, Resource):
            described_by = write_operations if view.is_write else read_operations
            if not described_by.is_open(view):
                return None
            self.operation = described_by.operation(view, Components(registry))
        described: dict[str, Any] | None = super().get_operation(
            path, path_regex, path_prefix, method, registry
        )
        return described

    def get_operation_id(self) -> str:
        """Return the route's base name and the action, which stay where the path moves."""
        own: str = super().get_operation_id() if self.operation is None else self.operation.name
        return own

    def get_summary(self) -> str | None:
        """Return the summary."""
        own: str | None = super().get_summary()
        return own or (self.operation.summary if self.operation else None)

    def get_override_parameters(self) -> list[Any]:
        """Return the parameters, and the headers of answers."""
        own: list[Any] = super().get_override_parameters()
        return [*(self.operation.parameters if self.operation else ()), *own]

    def get_request_serializer(self) -> Any:
        """Return the body."""
        return self.operation.body if self.operation else super().get_request_serializer()

    def _get_request_body(self, direction: str = 'request') -> Any:
        """Return the body, required where there is one; a DELETE of many has one too."""
        if self.operation is None:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        if self.operation.body is None:
            return None
        content = {each: {'schema': schema} for each, schema in self.operation.body.items()}
        return {'content': content, 'required': True}

    def get_response_serializers(self) -> Any:
        """Return the answers, problems included."""
        return self.operation.responses if self.operation else super().get_response_serializers()

    def _is_list_view(self, serializer: Any = None) -> bool:
        # Our lists come with their envelope.
        return False if self.operation else bool(super()._is_list_view(serializer))
