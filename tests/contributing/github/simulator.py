"""A GitHub in this process: it has a state, counts calls, and takes only what GitHub would take.

REST calls are checked against GitHub's OpenAPI description (method, path, parameters, body) and
GraphQL documents against its schema, both cut from what GitHub publishes (see `extract`). A call
that is none of GitHub's fails the test.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate
from jsonschema import Draft202012Validator

from backstay.contributing.snapshot import Person
from tests.contributing.github.graph import Graph
from tests.contributing.github.state import (
    Board,
    Comment,
    Happened,
    Repository,
    Review,
    Thing,
    Work,
    oid,
)
from tests.contributing.making import ALICE, BOB, CAROL, NOW

HERE = Path(__file__).parent
US = Person(login='acme-helper[bot]', id=999, bot=True)
Handler = Callable[..., httpx.Response]


class GitHub:
    """One organisation's GitHub, seen with the token of its app."""

    def __init__(self) -> None:
        self.me = US
        self.now: datetime = NOW
        self.people = {each.login: each for each in (ALICE, BOB, CAROL, US)}
        self.teams: dict[str, set[str]] = {'acme': {'portal-team'}}
        self.repositories: dict[str, Repository] = {}
        #: What the token may see.
        self.sees_boards = self.sees_teams = True
        self.unreadable: set[str] = set()
        self.not_assignable: set[str] = set()
        self.longest_text = 500_000
        #: Each call: what it is, and whether it reads.
        self.calls: list[str] = []
        self.writes: list[str] = []
        #: Answers instead of GitHub when it gives something.
        self.fault: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None
        self.repository = self.add_repository('portal', board=Board())

    # What a test sets up.

    def add_repository(self, name: str, board: Board | None = None) -> Repository:
        """A new repository of the organisation."""
        made = Repository(owner='acme', name=name, board=board)
        self.repositories[made.full_name] = made
        return made

    def configure(self, text: str, repository: Repository | None = None) -> None:
        """Write the configuration."""
        files = (repository or self.repository).branches['HEAD']
        files['.github/contributing.toml'] = text

    def add_issue(self, number: int = 7, column: str | None = 'To Do', **facts: Any) -> Thing:
        """An issue of Bob, on the board unless there is no column."""
        facts = {'body': 'It fails.', 'author': BOB, 'created_at': self.now, **facts}
        thing = Thing(number=number, **facts)
        self.repository.things[number] = thing
        if column is not None and self.repository.board:
            self.repository.board.items[thing.id] = (column, thing.created_at)
        return thing

    def add_pull(self, number: int = 12, **facts: Any) -> Thing:
        """A pull request of Alice from a fork, with one commit of hers."""
        own = Work(
            sha=f'{number:040x}', at=self.now, authors=[('Alice', 'alice@example.com', ALICE)]
        )
        facts = {
            'author': ALICE,
            'created_at': self.now,
            'commits': [own],
            'from_fork': True,
            **facts,
        }
        thing = Thing(number=number, head=facts['commits'][-1].sha, **facts)
        self.repository.things[number] = thing
        return thing

    def assign(self, thing: Thing, login: str) -> None:
        """Assign, as GitHub does: at most ten, and silently not everybody."""
        if login in thing.assignees or login in self.not_assignable or len(thing.assignees) >= 10:
            return
        self.people.setdefault(login, Person(login=login, id=5000 + len(self.people)))
        thing.assignees.append(login)
        thing.timeline.append(Happened(kind='AssignedEvent', at=self.now, login=login))

    def comment(self, thing: Thing, text: str, by: Person = ALICE) -> Comment:
        """Somebody comments."""
        self.people.setdefault(by.login, by)
        made = Comment(author=by, body=text, at=self.now)
        thing.comments.append(made)
        return made

    def review(self, thing: Thing, by: Person) -> None:
        """Somebody reviews."""
        thing.reviews.append(Review(author=by, at=self.now))

    def label(self, thing: Thing, name: str) -> None:
        """Somebody puts a label on."""
        thing.labels.append(name)
        thing.timeline.append(Happened(kind='LabeledEvent', at=self.now, label=name))

    def pass_time(self, **time: float) -> None:
        """Time goes by."""
        self.now += timedelta(**time)

    # What a test looks at.

    def said(self, thing: Thing) -> list[str]:
        """What we wrote under it."""
        return [each.body for each in thing.comments if each.author.login == self.me.login]

    def check_of(self, thing: Thing) -> dict[str, Any]:
        """The newest check run of its head."""
        return self.repository.checks[thing.head][-1]

    def signatures(self, repository: Repository | None = None) -> list[dict[str, Any]]:
        """What stands on the branch of signatures."""
        text = (repository or self.repository).branches['signatures']['signatures.jsonl']
        return [json.loads(line) for line in text.splitlines()]

    def find(self, node: str) -> tuple[Repository, Thing]:
        """What a node id belongs to."""
        for repository in self.repositories.values():
            for thing in repository.things.values():
                if thing.id == node:
                    return repository, thing
        raise AssertionError(f'no node {node}')

    # What the adapter calls.

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """For an httpx client."""
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What GitHub answers."""
        assert request.headers['authorization'] == 'token secret-token'
        assert request.headers['user-agent']
        path = request.url.raw_path.decode().partition('?')[0]
        graphql = path == '/graphql'
        document = json.loads(request.content)['query'] if graphql else ''
        reads = request.method == 'GET' or document.lstrip().startswith('query')
        name = re.search(r'(?:query|mutation) (\w+)', document)
        self.calls.append(name.group(1) if name else f'{request.method} {path}')
        instead = self.fault(request)
        if instead is not None:
            return instead
        if not reads:
            self.writes.append(self.calls[-1])
        return self._graphql(request) if graphql else self._rest(request, path)

    def _graphql(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        tree = _checked(asked['query'])
        result = execute_sync(
            _schema(), tree, root_value=Graph(self).root(), variable_values=asked['variables']
        )
        answer: dict[str, Any] = {'data': result.data}
        for error in result.errors or ():
            # A fault of ours, not an answer of GitHub.
            if error.original_error and not error.extensions:
                raise error.original_error
            kind = (error.extensions or {}).get('type')
            assert kind, error
            fault = {'type': kind, 'path': error.path, 'message': error.message}
            answer.setdefault('errors', []).append(fault)
        return httpx.Response(200, json=answer, headers=_HEADERS)

    def _rest(self, request: httpx.Request, path: str) -> httpx.Response:
        for template, methods in _openapi().items():
            found = re.fullmatch(_pattern(template), path)
            if found and request.method.lower() in methods:
                body = json.loads(request.content) if request.content else None
                parts = {
                    name: httpx.URL(f'http://x/{text}').path[1:]
                    for name, text in found.groupdict().items()
                }
                _check_call(methods[request.method.lower()], parts, request, body)
                repository = self.repositories.get(f'{parts.pop("owner")}/{parts.pop("repo")}')
                if repository is None or repository.full_name in self.unreadable:
                    return _json(404, {'message': 'Not Found'})
                handler = getattr(self, _HANDLERS[request.method.lower(), template])
                return handler(repository, parts, body)
        raise AssertionError(f'GitHub has no {request.method} {path}, or we do not know it')

    def _unassign(self, repository: Repository, parts: Any, body: Any) -> httpx.Response:
        thing = repository.things[int(parts['issue_number'])]
        thing.assignees = [each for each in thing.assignees if each not in body['assignees']]
        return _json(200, {})

    def _add_labels(self, repository: Repository, parts: Any, body: Any) -> httpx.Response:
        thing = repository.things[int(parts['issue_number'])]
        for name in body['labels']:
            if name not in thing.labels:
                self.label(thing, name)
        return _json(200, [])

    def _remove_label(self, repository: Repository, parts: Any, _body: Any) -> httpx.Response:
        thing = repository.things[int(parts['issue_number'])]
        if parts['name'] not in thing.labels:
            return _json(404, {'message': 'Label does not exist'})
        thing.labels.remove(parts['name'])
        return _json(200, [])

    def _say(self, repository: Repository, parts: Any, body: Any) -> httpx.Response:
        if len(body['body']) > 65_536:
            return _json(422, {'message': 'Body is too long', 'errors': []})
        thing = repository.things[int(parts['issue_number'])]
        return _json(201, {'id': self.comment(thing, body['body'], self.me).id})

    def _edit_comment(self, repository: Repository, parts: Any, body: Any) -> httpx.Response:
        comment = self._comment(repository, int(parts['comment_id']))
        comment.body, comment.edited_at = body['body'], self.now
        return _json(200, {'id': comment.id})

    def _react(self, repository: Repository, parts: Any, body: Any) -> httpx.Response:
        assert body == {'content': '+1'}
        self._comment(repository, int(parts['comment_id'])).thumbs.add(self.me.login)
        return _json(201, {})

    def _comment(self, repository: Repository, wanted: int) -> Comment:
        (found,) = [
            comment
            for thing in repository.things.values()
            for comment in thing.comments
            if comment.id == wanted
        ]
        return found

    def _write(self, repository: Repository, parts: Any, body: Any) -> httpx.Response:
        number = parts.get('issue_number') or parts['pull_number']
        repository.things[int(number)].body = body['body']
        return _json(200, {})

    def _set_check(self, repository: Repository, _parts: Any, body: Any) -> httpx.Response:
        repository.checks.setdefault(body['head_sha'], []).append(body)
        return _json(201, {'id': 1})

    def _make_tree(self, _repository: Repository, _parts: Any, body: Any) -> httpx.Response:
        (file,) = body['tree']
        self.tree = {file['path']: file['content']}
        return _json(201, {'sha': 'a' * 40})

    def _make_commit(self, _repository: Repository, _parts: Any, body: Any) -> httpx.Response:
        assert (body['tree'], body['parents']) == ('a' * 40, [])
        return _json(201, {'sha': 'b' * 40})

    def _make_ref(self, repository: Repository, _parts: Any, body: Any) -> httpx.Response:
        branch = body['ref'].removeprefix('refs/heads/')
        if branch in repository.branches:
            return _json(422, {'message': 'Reference already exists'})
        repository.branches[branch] = self.tree
        return _json(201, {})

    def _put_file(self, repository: Repository, parts: Any, body: Any) -> httpx.Response:
        if body['branch'] not in repository.branches:
            return _json(404, {'message': f'Branch {body["branch"]} not found'})
        files = repository.branches[body['branch']]
        before = files.get(parts['path'])
        if before is not None and 'sha' not in body:
            return _json(422, {'message': '"sha" wasn\'t supplied.', 'errors': []})
        if before is not None and body['sha'] != oid(before):
            return _json(409, {'message': f'{parts["path"]} does not match {body["sha"]}'})
        files[parts['path']] = b64decode(body['content']).decode()
        return _json(200, {})

    def _get_blob(self, repository: Repository, parts: Any, _body: Any) -> httpx.Response:
        for files in repository.branches.values():
            for text in files.values():
                if oid(text) == parts['file_sha']:
                    return _json(200, {'content': b64encode(text.encode()).decode()})
        return _json(404, {'message': 'Not Found'})

    def _list_labels(self, repository: Repository, _parts: Any, _body: Any) -> httpx.Response:
        return _json(200, repository.labels)

    def _make_label(self, repository: Repository, _parts: Any, body: Any) -> httpx.Response:
        repository.labels.append(body)
        return _json(201, body)

    def _change_label(self, repository: Repository, parts: Any, body: Any) -> httpx.Response:
        (label,) = [each for each in repository.labels if each['name'] == parts['name']]
        label.update({**body, 'name': body['new_name']})
        return _json(200, label)


_HEADERS = {'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': '0'}
_R = '/repos/{owner}/{repo}'
_HANDLERS = {
    ('delete', f'{_R}/issues/{{issue_number}}/assignees'): '_unassign',
    ('delete', f'{_R}/issues/{{issue_number}}/labels/{{name}}'): '_remove_label',
    ('get', f'{_R}/git/blobs/{{file_sha}}'): '_get_blob',
    ('get', f'{_R}/labels'): '_list_labels',
    ('patch', f'{_R}/issues/comments/{{comment_id}}'): '_edit_comment',
    ('patch', f'{_R}/issues/{{issue_number}}'): '_write',
    ('patch', f'{_R}/labels/{{name}}'): '_change_label',
    ('patch', f'{_R}/pulls/{{pull_number}}'): '_write',
    ('post', f'{_R}/check-runs'): '_set_check',
    ('post', f'{_R}/git/commits'): '_make_commit',
    ('post', f'{_R}/git/refs'): '_make_ref',
    ('post', f'{_R}/git/trees'): '_make_tree',
    ('post', f'{_R}/issues/comments/{{comment_id}}/reactions'): '_react',
    ('post', f'{_R}/issues/{{issue_number}}/comments'): '_say',
    ('post', f'{_R}/issues/{{issue_number}}/labels'): '_add_labels',
    ('post', f'{_R}/labels'): '_make_label',
    ('put', f'{_R}/contents/{{path}}'): '_put_file',
}


@cache
def _schema() -> GraphQLSchema:
    return build_schema((HERE / 'schema.graphql').read_text())


@cache
def _openapi() -> dict[str, Any]:
    paths: dict[str, Any] = json.loads((HERE / 'openapi.json').read_text())['paths']
    return paths


@cache
def _checked(document: str) -> Any:
    """The document as a tree; fails when GitHub would not take it."""
    tree = parse(document)
    faults = validate(_schema(), tree)
    assert not faults, faults
    return tree


@cache
def _pattern(template: str) -> str:
    return re.sub(r'\\{(\w+)\\}', r'(?P<\1>[^/]+)', re.escape(template))


def _check_call(
    operation: dict[str, Any], parts: dict[str, str], request: httpx.Request, body: Any
) -> None:
    """Fail when GitHub's description does not allow these parameters and this body."""
    query = dict(request.url.params)
    known = {each['name']: each for each in operation.get('parameters', ())}
    for name, text in {**parts, **query}.items():
        assert name in known, f'{name} is no parameter of {request.url}'
        schema = known[name]['schema']
        value: Any = int(text) if schema.get('type') == 'integer' else text
        Draft202012Validator(schema).validate(value)
    if 'requestBody' in operation:
        schema = operation['requestBody']['content']['application/json']['schema']
        Draft202012Validator(schema).validate(body if body is not None else {})
        for name in _properties(body):
            assert name in _described(schema), f'{name} is nothing that {request.url} knows'
    else:
        assert body is None


def _properties(body: Any) -> list[str]:
    return list(body) if isinstance(body, dict) else []


def _described(schema: dict[str, Any]) -> set[str]:
    """The properties that a schema names anywhere at its top."""
    names = set(schema.get('properties', ()))
    for each in (*schema.get('oneOf', ()), *schema.get('anyOf', ()), *schema.get('allOf', ())):
        names |= _described(each)
    return names


def _json(status: int, data: Any) -> httpx.Response:
    return httpx.Response(status, json=data, headers=_HEADERS)
