"""Descriptions of the writes of a resource, each for those who may do it with some row."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from backstay.caller import Standing
from backstay.identity.callers import caller_of
from backstay.resources.declaration.hooks import Hooks
from backstay.resources.openapi.bulk_bodies import Bulk
from backstay.resources.openapi.components import Components, Schema
from backstay.resources.openapi.operation import (
    MASK_CODES,
    TOO_MUCH,
    Operation,
    by_status,
    header_of_answers,
    problems,
    refusals_of_callers,
)
from backstay.resources.openapi.operation_parameters import (
    fields_parameter,
    lookup_parameter,
    request_headers,
)
from backstay.resources.openapi.written_bodies import Bodies
from backstay.resources.query.json_text import MERGE_PATCH
from backstay.resources.write import granting
from backstay.resources.write.children import list_paths
from backstay.resources.write.granting import Right
from backstay.resources.write.idempotency import KEY

_TAG = r'(W/)?"[!#-~]*"'
_TAGS: Schema = {'type': 'string', 'pattern': rf'^(\*|{_TAG}([ \t]*,[ \t]*{_TAG})*)$'}
_KEY: Schema = {
    'type': 'string',
    'minLength': 1,
    'maxLength': 255,
    'pattern': f'^{KEY.pattern}$',
}
_BODY_CODES = (
    'validation-failed',
    'unknown-field',
    'field-not-writable',
    'reference-not-found',
    'too-many-rows',
)
_CONFLICTS = ('duplicate', 'in-use', 'conflict')
#: The right that each needs; a bulk request has operations of its own.
_RIGHTS: Mapping[str, Right | None] = {
    'create': 'create',
    'partial_update': 'write',
    'update': 'write',
    'destroy': 'delete',
    'restore': 'delete',
    'bulk': None,
    'bulk_patch': 'write',
    'bulk_delete': 'delete',
}


def is_open(view: Any) -> bool:
    """Return whether a caller like the reader may do it with some row."""
    bodies = _bodies(view, Components(ComponentRegistry()))
    right = _RIGHTS[view.action]
    if right is None:
        return bool(Bulk(bodies).verbs)
    # In a list or by keys nothing says which version of a row is meant.
    is_silent = view.action.startswith('bulk') and view.resource.options.require_if_match
    return bodies.may(right) and not is_silent


def of_deleted(view: Any) -> Iterator[OpenApiParameter]:
    """Yield the parameter of reads for callers that may see softly deleted rows."""
    softly = bool(view.resource.options.soft_delete)
    if softly and granting.may(view.resource, _standing(view), 'delete'):
        schema = {'type': 'boolean', 'default': False}
        says = 'Whether rows that were deleted, and could be restored, are there too.'
        yield OpenApiParameter('include_deleted', schema, description=says)


def operation(view: Any, components: Components) -> Operation:
    """Return the description of a write."""
    return _DESCRIBED[view.action](_Described(view, components))


def _standing(view: Any) -> Standing:
    return caller_of(view.request).standing(writing=True)


def _bodies(view: Any, components: Components) -> Bodies:
    return Bodies(components, view.readable(view.request), _standing(view))


class _Described:
    """The parts of a description, from which each kind of write takes its own."""

    def __init__(self, view: Any, components: Components) -> None:
        self.view, self.components = view, components
        self.resource = view.resource
        self.options = self.resource.options
        self.readable = view.readable(view.request)
        self.bodies = _bodies(view, components)
        self.bulk = Bulk(self.bodies)

    def of_one(self, summary: str, body: dict[str, Schema] | None, status: int = 200) -> Operation:
        """Describe a write of one row, whose answer is the row as the mask shows it."""
        shows = bool(self.readable.grants) and status != 204
        parameters: list[OpenApiParameter] = []
        if status != 201:
            parameters += [lookup_parameter(self.view, self.readable, self.components)]
            if_match = OpenApiParameter(
                'If-Match',
                _TAGS,
                OpenApiParameter.HEADER,
                description='ETags of the object, of which one must be its own.',
                required=self.options.require_if_match,
            )
            if_none_match = OpenApiParameter(
                'If-None-Match',
                _TAGS,
                OpenApiParameter.HEADER,
                description='ETags of the object, of which none may be its own.',
            )
            parameters += [if_match, if_none_match]
            parameters += self._whole_lists() if body else ()
        if shows:
            parameters += [fields_parameter()]
            parameters += request_headers(self.readable, conditional=False)
        success: dict[Any, Any] = {status: OpenApiResponse(None, 'It is done.')}
        if shows:
            says = 'The object, as the mask shows it; nothing where the caller may not see it.'
            row = OpenApiResponse(self.components.resource(self.readable), says)
            success = {(status, 'application/json'): row}
        return self._operation(
            summary,
            [*parameters, self._idempotency_key(), *self._answered(status, shows=shows)],
            body,
            success | self._problems(_codes_of_one(self, body, status)),
        )

    def of_many(self, summary: str, body: dict[str, Schema]) -> Operation:
        """Describe a write of many rows, whose answer has a result for each."""
        results = OpenApiResponse(self.bulk.results(), 'What became of each operation.')
        success = {(200, 'application/json'): results}
        return self._operation(
            summary,
            [*self._whole_lists(), self._idempotency_key(), *self._answered(200, shows=False)],
            body,
            success | self._problems(_codes_of_many(self)),
        )

    def _operation(
        self,
        summary: str,
        parameters: list[OpenApiParameter],
        body: dict[str, Schema] | None,
        responses: dict[Any, Any],
    ) -> Operation:
        return Operation(
            name=f'{self.view.basename}_{self.view.action}',
            summary=f'{self.options.name}: {summary}',
            parameters=parameters,
            body=body,
            responses=responses,
        )

    def _whole_lists(self) -> list[OpenApiParameter]:
        """Return the parameter that names lists which have all rows that shall be there."""
        names = [*list_paths(self.resource, _standing(self.view))]
        if not names:
            return []
        one = f'({"|".join(map(re.escape, names))})'
        schema = {'type': 'string', 'pattern': f'^{one}(,{one})*$'}
        says = 'Lists of the body that have all rows: of what they leave out, no answer showed all.'
        return [OpenApiParameter('whole_lists', schema, description=says)]

    def _idempotency_key(self) -> OpenApiParameter:
        return OpenApiParameter(
            'Idempotency-Key',
            _KEY,
            OpenApiParameter.HEADER,
            description='A repeat with the same key has no effect, and gets the same answer.',
            required=self.needs_key,
        )

    @property
    def needs_key(self) -> bool:
        """Whether the resource asks for a key here."""
        return bool(self.options.needs_key(self.view.action)) and self.has_keys

    @property
    def has_keys(self) -> bool:
        """Whether the caller can have keys: nothing tells a guest of a document from another."""
        return _standing(self.view).kind != 'guest'

    def _answered(self, status: int, *, shows: bool) -> Iterator[OpenApiParameter]:
        """Yield the headers of answers."""
        if shows:
            yield header_of_answers('ETag', 'Of the object, for `If-Match`.', [status])
            yield header_of_answers('X-Truncated', 'Pointers to lists that were cut.', [status])
            yield header_of_answers('Preference-Applied', 'What was heeded.', [status])
        if status == 201 and shows:
            address = {'type': 'string', 'format': 'uri'}
            yield header_of_answers('Location', 'Of the new object.', [status], address)
        replayed = {'type': 'string', 'enum': ['true']}
        statuses = [status, 404, 409, 412, 422]
        yield header_of_answers('Idempotency-Replayed', 'On repeats.', statuses, replayed)
        yield header_of_answers('Server-Timing', 'Milliseconds of each part.', [status])
        yield header_of_answers('Vary', 'What the answer depends on.', [status])
        wait = {'type': 'string', 'pattern': r'^\d+$'}
        yield header_of_answers('Retry-After', 'Seconds to wait.', [409, 429, 503], wait)

    def _problems(self, codes: dict[int, list[str]]) -> dict[Any, Any]:
        codes |= by_status('not-acceptable', 'busy')
        codes |= refusals_of_callers(self.view) or by_status('not-permitted')
        if self.view.get_throttles():
            codes |= by_status('rate-limited')
        is_ruled = self.resource.hooks != Hooks()
        return problems(
            self.components, codes, says=_WHEN, open_statuses=(409, 422) if is_ruled else ()
        )


def _codes_of_one(
    told: _Described, body: dict[str, Schema] | None, status: int
) -> dict[int, list[str]]:
    names = ['bad-request', 'header-invalid', 'not-found', *_CONFLICTS, *_keyed(told)]
    if status != 204:
        names += [*MASK_CODES, *TOO_MUCH]
    if body:
        names += [
            'malformed-json',
            'body-incomplete',
            'list-cut',
            *_BODY_CODES,
            'payload-too-large',
            'unsupported-media-type',
        ]
    if status == 201:
        names.append('precondition-misplaced')
    else:
        names.append('version-mismatch')
        if told.options.require_if_match:
            names.append('precondition-required')
    return by_status(*names)


def _codes_of_many(told: _Described) -> dict[int, list[str]]:
    codes = by_status(
        'bad-request',
        'parameter-unknown',
        'malformed-json',
        'body-incomplete',
        'bulk-empty',
        'list-cut',
        'header-invalid',
        'precondition-misplaced',
        *_CONFLICTS,
        'version-mismatch',
        'payload-too-large',
        'unsupported-media-type',
        *_BODY_CODES,
        'bulk-refused',
        'query-too-deep',
        'query-too-slow',
        *_keyed(told),
    )
    # What refuses one operation refuses all, with a status that speaks of a body.
    codes[422] += ['not-found', 'precondition-required']
    codes[409] += ['bulk-refused']
    return codes


def _keyed(told: _Described) -> list[str]:
    """Return the codes of what an Idempotency-Key is refused for."""
    missing = ['idempotency-key-missing'] if told.needs_key else []
    if not told.has_keys:
        return ['idempotency-key-not-yours']
    return [*missing, 'idempotency-in-progress', 'idempotency-key-reused']


def _json(schema: Schema) -> dict[str, Schema]:
    return {'application/json': schema}


def _merge_patch(schema: Schema) -> dict[str, Schema]:
    return {'application/json': schema, MERGE_PATCH: schema}


_DESCRIBED: Mapping[str, Callable[[_Described], Operation]] = {
    'create': lambda told: told.of_one('make one', _json(told.bodies.of('Create')), 201),
    'partial_update': lambda told: told.of_one(
        'change members of one', _merge_patch(told.bodies.of('Patch'))
    ),
    'update': lambda told: told.of_one('replace one', _json(told.bodies.of('Replace'))),
    'destroy': lambda told: told.of_one('delete one', None, 204),
    'restore': lambda told: told.of_one('take back that one was deleted', None),
    'bulk': lambda told: told.of_many('write many', _json(told.bulk.request())),
    'bulk_patch': lambda told: told.of_many('change many', _merge_patch(told.bulk.patches())),
    'bulk_delete': lambda told: told.of_many('delete many', _json(told.bulk.keys())),
}
_WHEN = {
    404: 'There is no such row, or none that the caller may see.',
    409: 'It collides with other rows, or with a request that is under way.',
    412: 'The object has changed since.',
    422: 'The body is well formed, and something in it is wrong.',
    428: 'The version has to be named.',
    503: 'Others are writing the same rows.',
}
