"""What the OpenAPI document tells of each operation: parameters, bodies, answers."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from backstay.errors import CONTENT_TYPE
from backstay.resources import Resource, schema_of
from services.codereview.resources import (
    DiffResource,
    IssueOfDiffResource,
    ListedDiffResource,
    RepositoryResource,
    RevisionResource,
)

_JSON = 'application/json'
Schema = dict[str, Any]
Method = TypeVar('Method', bound=Callable[..., Any])


class Describe(Protocol):
    """Decorates the method that answers."""

    def __call__(self, method: Method, /) -> Method:
        """The same method."""


# Shapes of answers: every member is always there.


def _object(**members: Schema) -> Schema:
    return {'type': 'object', 'required': [*members], 'properties': members}


def _or_null(schema: Schema) -> Schema:
    return {**schema, 'type': [schema['type'], 'null']}


def _page(item: Schema) -> Schema:
    return _object(
        count=_NUMBER,
        next=_or_null(_URL),
        previous=_or_null(_URL),
        results={'type': 'array', 'items': item},
    )


_TEXT = {'type': 'string'}
_URL = {'type': 'string', 'format': 'uri'}
_NUMBER = {'type': 'integer', 'minimum': 0}
_FLAG = {'type': 'boolean'}
_LEVEL = {'type': 'string', 'enum': ['warning', 'error']}
_KEY = {'type': 'string', 'format': 'uuid'}


def _row(resource: type[Resource], **sharper: Schema) -> Schema:
    """Return the shape of a row; what is computed could be null, but for what is told sharper."""
    row = schema_of(resource)
    return {**row, 'properties': {**row['properties'], **sharper}}


_REPOSITORY = _row(RepositoryResource)
_REVISION = _row(RevisionResource, base_repository=_TEXT, head_repository=_TEXT)
_DIFF = _row(DiffResource, repository=_TEXT)
_LISTED_DIFF = _row(
    ListedDiffResource, revision=_REVISION, created={'type': 'string', 'format': 'date-time'}
)
_ISSUE = _row(
    IssueOfDiffResource,
    id=_KEY,
    hash=_TEXT,
    analyzer=_TEXT,
    path=_TEXT,
    level=_LEVEL,
    publishable=_FLAG,
)
_KNOWN = _object(id=_KEY, hash=_TEXT)
_CHECKED = _object(
    **_ISSUE['properties'],
    diffs={
        'type': 'array',
        'items': _object(
            provider_id=_TEXT, repository=_TEXT, revision={'type': 'object'}, id=_NUMBER
        ),
    },
)
_COUNT = _object(
    repository=_TEXT,
    analyzer=_TEXT,
    check=_or_null(_TEXT),
    total=_NUMBER,
    publishable=_NUMBER,
)
_POINT = _object(date={'type': 'string', 'format': 'date'}, total=_NUMBER)
_DETAIL = _object(detail=_TEXT)
_FAULTS = {'type': 'object', 'description': 'What is wrong, by the name of the field.'}

# Parameters.


def _parameter(name: str, description: str, schema: Schema = _TEXT) -> OpenApiParameter:
    return OpenApiParameter(name, schema, description=description)


_DAY: Schema = {'anyOf': [{'type': 'string', 'format': 'date'}, {'type': 'string', 'maxLength': 0}]}
_SINCE = _parameter('since', 'The first day, in UTC; empty for none.', _DAY)
_PAGED = (
    _parameter('limit', 'Rows of the page; 50 unless it is a number above 0.'),
    _parameter('offset', 'Rows before it; 0 unless it is a number above 0.'),
)
_IN_PATH: dict[str, Schema] = {
    'id': {'type': 'string', 'pattern': '^[^/.]+$'},
    'revision': {'type': 'string', 'pattern': '^[0-9]+$'},
    'diff': {'type': 'string', 'pattern': '^[0-9a-zA-Z-]+$'},
    'mode': {'type': 'string', 'enum': ['unresolved', 'known', 'closed']},
    'repository': {'type': 'string', 'pattern': '^[^/]+$'},
    'analyzer': {'type': 'string', 'pattern': '^[^/]+$'},
    'check': {'type': 'string', 'minLength': 1},
}


def _operation(
    name: str,
    summary: str,
    answer: Schema,
    *parameters: OpenApiParameter,
    path: str = '',
    faults: bool = False,
    body: Any = None,
) -> Describe:
    """One operation; `path` names the parameters in its address, `body` is a serializer."""
    in_path = [
        OpenApiParameter(each, _IN_PATH[each], OpenApiParameter.PATH) for each in path.split()
    ]
    answers: dict[Any, Any] = {(201 if body else 200, _JSON): OpenApiResponse(answer, _FOUND)}
    if body is not None and name == 'revision_create':
        answers[(200, _JSON)] = OpenApiResponse(answer, 'There was one already.')
    for status, (schema, meaning) in _REFUSALS.items():
        if (status != 400 or faults or body) and (status != 415 or body):
            answers[(status, _JSON)] = OpenApiResponse(schema, meaning)
    answers[(404, CONTENT_TYPE)] = OpenApiResponse(_PROBLEM, 'There is no such address.')
    described: Describe = extend_schema(
        operation_id=name,
        tags=['Code review'],
        summary=summary,
        parameters=[*in_path, *parameters],
        request={_JSON: body} if body else None,
        responses=answers,
    )
    return described


_FOUND = 'What was asked for.'
_PROBLEM = {'$ref': '#/components/schemas/Problem'}
_REFUSALS: dict[int, tuple[Schema, str]] = {
    400: (_FAULTS, 'What was sent is wrong.'),
    403: (_DETAIL, 'Credentials are wrong, or missing.'),
    404: (_DETAIL, 'There is nothing of that name.'),
    406: (_DETAIL, 'There is no such format.'),
    409: (_DETAIL, 'Others changed the same issues time and again.'),
    415: (_DETAIL, 'The body is of no type that is read.'),
    429: (_DETAIL, 'Too many wrong passwords.'),
}

ROOT = _operation('root', 'Where the lists are', _object(repository=_URL, revision=_URL, diff=_URL))
REPOSITORIES = _operation('repository_list', 'Repositories by slug', _page(_REPOSITORY), *_PAGED)
REPOSITORY = _operation('repository_read', 'One repository', _REPOSITORY, path='id')
REVISIONS = _operation(
    'revision_list', 'Revisions by provider and number', _page(_REVISION), *_PAGED
)
REVISION = _operation('revision_read', 'One revision', _REVISION, path='id')
DIFFS_OF_REVISION = _operation(
    'revision_diffs_list', 'Diffs of a revision', _page(_DIFF), *_PAGED, path='revision'
)
DIFF_OF_REVISION = _operation(
    'revision_diffs_read', 'One diff of a revision', _DIFF, path='revision id'
)
DIFFS = _operation(
    'diff_list',
    'Diffs of the last 90 days, the newest first',
    _page(_LISTED_DIFF),
    *_PAGED,
    _parameter('repository', 'Slug of its repository, or of one of its revision.'),
    _parameter('search', 'Text in its ids, its numbers, or the title of its revision.'),
    _parameter('issues', '`any`, `publishable` or `no`: what it has; all diffs otherwise.'),
)
DIFF = _operation('diff_read', 'One diff', _LISTED_DIFF, path='id')
ISSUES_OF_DIFF = _operation(
    'diff_issues_list', 'Issues of a diff', _page(_ISSUE), *_PAGED, path='diff'
)
ISSUE_OF_DIFF = _operation('diff_issues_read', 'One issue of a diff', _ISSUE, path='diff id')
COMPARED_ISSUES = _operation(
    'diff_issues_compare',
    'Issues of a diff beside those of older ones',
    _page(_KNOWN),
    *_PAGED,
    path='diff mode',
)
KNOWN_ISSUES = _operation(
    'issues_list',
    'Known issues of a repository',
    _page(_KNOWN),
    *_PAGED,
    _parameter('path', 'The file; empty for all.'),
    _parameter('date', 'The day of the revision, or the day after it; empty for none.', _DAY),
    _parameter(
        'revision_changeset',
        'The changeset of the revision there.',
        {'type': 'string', 'minLength': 40, 'maxLength': 40},
    ),
    path='repository',
    faults=True,
)
CHECK = _operation(
    'check_list',
    'Issues that a check found in a repository, the newest first',
    _page(_CHECKED),
    *_PAGED,
    _SINCE,
    _parameter(
        'publishable',
        'Those that can be published, the others, or all.',
        {'type': 'string', 'enum': ['true', 'false', 'all', ''], 'default': 'true'},
    ),
    path='repository analyzer check',
    faults=True,
)
STATISTICS = _operation(
    'check_stats_list',
    'How many issues each check found, since 90 days ago unless told otherwise',
    _page(_COUNT),
    *_PAGED,
    _SINCE,
    faults=True,
)
HISTORY = _operation(
    'check_history_list',
    'How many issues were first found on each day',
    {'type': 'array', 'items': _POINT},
    _SINCE,
    _parameter('repository', 'Slug; empty for all.'),
    _parameter('analyzer', 'Its name; empty for all.'),
    _parameter('check', 'Its name; empty for all.'),
    faults=True,
)


def new_revision(body: Any) -> Describe:
    """Describes the creation of a revision."""
    return _operation('revision_create', 'Get or create a revision', _REVISION, body=body)


def new_diff(body: Any) -> Describe:
    """Describes the creation of a diff."""
    return _operation('revision_diffs_create', 'Create a diff', _DIFF, body=body, path='revision')


def new_issues(body: Any) -> Describe:
    """Describes bulk creation."""
    answer = _object(diff_provider_id=_or_null(_TEXT), issues={'type': 'array', 'items': _ISSUE})
    return _operation(
        'revision_issues_create', 'Publish issues', answer, body=body, path='revision'
    )
