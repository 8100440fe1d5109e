"""OpenAPI documents as they would be if nothing in them was told once for several operations."""

from typing import Any

_SHARED = tuple(f'#/components/{kind}/' for kind in ('parameters', 'headers', 'responses'))


def inlined(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its shared parts in each operation; schemas stay references."""

    def whole(part: Any) -> Any:
        if isinstance(part, list):
            return [whole(each) for each in part]
        if not isinstance(part, dict):
            return part
        reference = part.get('$ref', '')
        if isinstance(reference, str) and reference.startswith(_SHARED):
            _, _, kind, name = reference.split('/')
            return whole(document['components'][kind][name])
        return {name: whole(each) for name, each in part.items()}

    return {**document, 'paths': whole(document['paths'])}
