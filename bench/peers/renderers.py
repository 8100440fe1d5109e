"""How Django REST Framework writes bytes here; apart from its views, as settings load it first."""

from typing import Any

import orjson
from rest_framework import renderers


class OrjsonRenderer(renderers.BaseRenderer):
    """JSON without Django REST Framework's escapes and indents."""

    media_type = 'application/json'
    format = 'json'
    charset = None

    def render(self, data: Any, *_: object) -> bytes:
        return orjson.dumps(data, default=str)
