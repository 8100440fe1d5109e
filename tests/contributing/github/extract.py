"""Cuts what we use out of GitHub's own descriptions of its API. Run it when a query changes.

    npm pack @octokit/openapi @octokit/graphql-schema @octokit/webhooks-examples   # unpack each
    python -m tests.contributing.github.extract FOLDER   # with openapi, graphql-schema and examples

The folder holds the unpacked packages by these names. The three are by Octokit's contributors,
under the MIT licence; `LICENSE` beside this file is theirs.
"""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    print_ast,
    validate,
    visit,
)
from graphql.language import ast

from backstay.contributing.github import queries

HERE = Path(__file__).parent
#: What `performing` and `labelling` call.
OPERATIONS = [
    ('delete', '/repos/{owner}/{repo}/issues/{issue_number}/assignees'),
    ('delete', '/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}'),
    ('get', '/repos/{owner}/{repo}/git/blobs/{file_sha}'),
    ('get', '/repos/{owner}/{repo}/labels'),
    ('patch', '/repos/{owner}/{repo}/issues/comments/{comment_id}'),
    ('patch', '/repos/{owner}/{repo}/issues/{issue_number}'),
    ('patch', '/repos/{owner}/{repo}/labels/{name}'),
    ('patch', '/repos/{owner}/{repo}/pulls/{pull_number}'),
    ('post', '/repos/{owner}/{repo}/check-runs'),
    ('post', '/repos/{owner}/{repo}/git/commits'),
    ('post', '/repos/{owner}/{repo}/git/refs'),
    ('post', '/repos/{owner}/{repo}/git/trees'),
    ('post', '/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions'),
    ('post', '/repos/{owner}/{repo}/issues/{issue_number}/comments'),
    ('post', '/repos/{owner}/{repo}/issues/{issue_number}/labels'),
    ('post', '/repos/{owner}/{repo}/labels'),
    ('put', '/repos/{owner}/{repo}/contents/{path}'),
]
#: Which of the examples: event, action, number among those of the action.
EXAMPLES = [
    ('issue_comment', 'created', 0),
    ('issue_comment', 'edited', 0),
    ('issues', 'opened', 0),
    ('issues', 'labeled', 0),
    ('pull_request', 'opened', 0),
    ('pull_request', 'closed', 0),
]
_PROSE_OF_SDL = re.compile(r'""".*?"""', re.DOTALL)
_DIRECTIVE = re.compile(r'(?<!directive) @(?!deprecated)\w+(?:\((?:"[^"]*"|[^)"])*\))?(?= |\n)')
_PROSE = {'description', 'example', 'examples', 'x-github', 'externalDocs', 'tags', 'summary'}


def documents() -> dict[str, str]:
    """Every GraphQL document that we send, by its name."""
    return {
        name: text
        for name, text in vars(queries).items()
        if name.isupper() and not name.startswith('_')
    }


def openapi(whole: dict[str, Any]) -> dict[str, Any]:
    """Parameters and bodies of the operations, with every reference put in its place."""

    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(each) for each in value]
        if not isinstance(value, dict):
            return value
        if '$ref' in value:
            target: Any = whole
            for part in value['$ref'].removeprefix('#/').split('/'):
                target = target[part]
            return resolved(target)
        return {
            name: {key: resolved(each) for key, each in inner.items()}
            if name == 'properties'
            else resolved(inner)
            for name, inner in value.items()
            if name not in _PROSE
        }

    found: dict[str, Any] = {}
    for method, path in OPERATIONS:
        operation = whole['paths'][path][method]
        kept = {
            name: operation[name] for name in ('parameters', 'requestBody') if name in operation
        }
        kept['responses'] = sorted(operation['responses'])
        found.setdefault(path, {})[method] = resolved(kept)
    return {'version': whole['info']['version'], 'paths': found}


class Used(Visitor):
    """Collects which fields of which types the documents use."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.fields: dict[str, set[str]] = {}
        self.inputs: set[str] = set()

    def enter_field(self, node: ast.FieldNode, *_: Any) -> None:
        parent, definition = self.info.get_parent_type(), self.info.get_field_def()
        if node.name.value == '__typename' or parent is None or definition is None:
            return
        self.fields.setdefault(parent.name, set()).add(node.name.value)
        self.fields.setdefault(get_named_type(definition.type).name, set())
        self.inputs |= {get_named_type(each.type).name for each in definition.args.values()}

    def enter_inline_fragment(self, node: ast.InlineFragmentNode, *_: Any) -> None:
        if node.type_condition:
            self.fields.setdefault(node.type_condition.name.value, set())


def schema(text: str) -> str:
    """The part of GitHub's schema that the documents reach: fields with all their arguments."""
    whole = build_schema(text, assume_valid=True, assume_valid_sdl=True)
    info = TypeInfo(whole)
    used = Used(info)
    for name, document in documents().items():
        tree = parse(document)
        if faults := validate(whole, tree):
            raise SystemExit(f'{name}: {faults[0].message}')
        visit(tree, TypeInfoVisitor(info, used))
    # A field of another kind, which answers hold and we look past.
    used.fields.setdefault('ProjectV2Field', set())
    return _cut(text, whole, used)


def _cut(text: str, whole: GraphQLSchema, used: Used) -> str:
    plain = _DIRECTIVE.sub('', _PROSE_OF_SDL.sub('', text))
    types = {
        node.name.value: node
        for node in parse(plain, no_location=True).definitions
        if isinstance(node, ast.TypeDefinitionNode)
    }
    _with_fields_of_interfaces(types, used)
    inputs = _reached(types, used.inputs)
    kept = [_pruned(types[name], used.fields) for name in sorted(set(used.fields) & set(types))]
    kept += [types[name] for name in sorted(inputs - set(used.fields))]
    return '\n\n'.join(print_ast(node) for node in kept) + '\n'


def _with_fields_of_interfaces(types: dict[str, Any], used: Used) -> None:
    """Every type has a field, and what its interfaces have; the types of fields are there, too."""
    for name, fields in used.fields.items():
        if not fields and getattr(types.get(name), 'fields', None):
            known = [
                field.name.value
                for field in types[name].fields
                if field.name.value == 'id' or _name_of(field.type) in used.fields
            ]
            fields.add(known[0])
    for name in list(used.fields):
        node = types.get(name)
        for interface in getattr(node, 'interfaces', None) or ():
            used.fields[name] |= used.fields.get(interface.name.value, set())
    for name, fields in used.fields.items():
        for field in getattr(types.get(name), 'fields', None) or ():
            if field.name.value in fields:
                used.inputs |= {_name_of(each.type) for each in field.arguments or ()}
                used.inputs.add(_name_of(field.type))


def _reached(types: dict[str, Any], names: set[str]) -> set[str]:
    reached, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        node = types.get(name)
        if (
            node is None
            or name in reached
            or isinstance(
                node,
                ast.ObjectTypeDefinitionNode
                | ast.InterfaceTypeDefinitionNode
                | ast.UnionTypeDefinitionNode,
            )
        ):
            continue
        reached.add(name)
        if isinstance(node, ast.InputObjectTypeDefinitionNode):
            waiting += [_name_of(field.type) for field in node.fields or ()]
    return reached


def _pruned(node: Any, used: dict[str, set[str]]) -> Any:
    if isinstance(node, ast.UnionTypeDefinitionNode):
        return replace(node, types=tuple(each for each in node.types if each.name.value in used))
    if isinstance(node, ast.ObjectTypeDefinitionNode | ast.InterfaceTypeDefinitionNode):
        wanted = used[node.name.value]
        fields = tuple(each for each in node.fields if each.name.value in wanted)
        interfaces = tuple(each for each in node.interfaces or () if each.name.value in used)
        return replace(node, fields=fields, interfaces=interfaces)
    return node


def _name_of(node: Any) -> str:
    while hasattr(node, 'type'):
        node = node.type
    return str(node.name.value)


def examples(whole: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Chosen payloads as they were published, by the name of their event."""
    by_name = {event['name']: event['examples'] for event in whole}
    chosen: dict[str, list[dict[str, Any]]] = {}
    for name, action, number in EXAMPLES:
        ours = [each for each in by_name[name] if each['action'] == action]
        chosen.setdefault(name, []).append(ours[number])
    return chosen


def main(folder: Path) -> None:
    """Write the three extracts beside this file."""
    description = json.loads((folder / 'openapi' / 'generated/api.github.com.json').read_text())
    (HERE / 'openapi.json').write_text(json.dumps(openapi(description), indent=1) + '\n')
    text = (folder / 'graphql-schema' / 'schema.graphql').read_text()
    (HERE / 'schema.graphql').write_text(schema(text))
    payloads = json.loads((folder / 'examples' / 'api.github.com/index.json').read_text())
    (HERE / 'webhooks.json').write_text(json.dumps(examples(payloads), indent=1) + '\n')


if __name__ == '__main__':
    main(Path(sys.argv[1]))
