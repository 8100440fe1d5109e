"""Parts that several operations of a document share, told once: a post-processing hook.

Most parameters, headers and problems are the same on every resource. Told in each operation they
are nine tenths of a document.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, MutableMapping
from http import HTTPStatus
from typing import Any

Part = dict[str, Any]
#: The place of a part: what holds it, and its key there.
_Place = tuple[MutableMapping[Any, Any] | list[Any], Any]

#: Characters of JSON that a part has at least: a reference is not much shorter.
_WORTH = 80


def share_parts(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Replace equal parameters, headers and responses by references to one component."""
    components = result.setdefault('components', {})
    operations = [
        operation
        for path in result.get('paths', {}).values()
        for operation in path.values()
        if isinstance(operation, dict) and 'responses' in operation
    ]
    # Headers first: responses are compared with references in them.
    for kind, places in (
        ('parameters', _parameters),
        ('headers', _headers),
        ('responses', _responses),
    ):
        if shared := _share(kind, [place for each in operations for place in places(each)]):
            components.setdefault(kind, {}).update(shared)
    return result


def _parameters(operation: Part) -> Iterator[tuple[_Place, str]]:
    parameters = operation.get('parameters', [])
    for at, each in enumerate(parameters):
        yield (parameters, at), each.get('name', '')


def _headers(operation: Part) -> Iterator[tuple[_Place, str]]:
    for response in operation['responses'].values():
        for name in response.get('headers', ()):
            yield (response['headers'], name), name


def _responses(operation: Part) -> Iterator[tuple[_Place, str]]:
    for status in operation['responses']:
        is_number = str(status).isdecimal()
        name = HTTPStatus(int(status)).phrase.title() if is_number else 'Problem'
        yield (operation['responses'], status), re.sub(r'\W', '', name)


def _share(kind: str, places: list[tuple[_Place, str]]) -> dict[str, Part]:
    """Return the components of one kind, to which the parts at these places now refer."""
    texts = [json.dumps(holder[key], sort_keys=True, default=str) for (holder, key), _ in places]
    times = Counter(texts)
    names: dict[str, str] = {}
    shared: dict[str, Part] = {}
    for ((holder, key), name), text in zip(places, texts, strict=True):
        if times[text] == 1 or len(text) < _WORTH or '$ref' in holder[key]:
            continue
        if text not in names:
            names[text] = _free(re.sub(r'[^\w.-]', '_', name, flags=re.ASCII), shared)
            shared[names[text]] = holder[key]
        holder[key] = {'$ref': f'#/components/{kind}/{names[text]}'}
    return shared


def _free(name: str, taken: dict[str, Part]) -> str:
    """Return the name, with a number behind it where others of that name differ."""
    number = 1
    while (found := name if number == 1 else f'{name}.{number}') in taken:
        number += 1
    return found
