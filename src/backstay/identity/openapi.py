"""The descriptions of our authentication classes in OpenAPI documents."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An access token, an API key, or a token of a workflow."""

    target_class = 'backstay.identity.authentication.BearerAuthentication'
    name = 'bearer'

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return HTTP's bearer scheme."""
        return {'type': 'http', 'scheme': 'bearer'}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An API key in a header of its own."""

    target_class = 'backstay.identity.authentication.ApiKeyAuthentication'
    name = 'key'

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme of the header."""
        return {'type': 'apiKey', 'in': 'header', 'name': 'X-Api-Key'}


class BasicScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """User name and password."""

    target_class = 'backstay.identity.authentication.BasicAuthentication'
    name = 'basic'

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return HTTP's basic scheme."""
        return {'type': 'http', 'scheme': 'basic'}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of a browser that has signed in."""

    target_class = 'backstay.identity.authentication.SessionAuthentication'
    name = 'session'

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme of the cookie."""
        return {'type': 'apiKey', 'in': 'cookie', 'name': settings.SESSION_COOKIE_NAME}
