"""The errors of declarations and of requests.

DeclarationError             a developer's mistake; fails at start-up
Problem
├── MaskError                400 mask-error
│   ├── MaskParseError       400 mask-parse-error
│   └── MaskTooLarge         400 mask-too-large
├── MaskTooExpensive         422 mask-too-expensive
├── FilterError              400 filter-invalid (`reason` says which kind)
├── SortError                400 sort-invalid
├── PageError                400 page-invalid
│   └── PageTooDeep          400 page-too-deep
├── CursorError              400 cursor-invalid
├── ParameterError           400 parameter-unknown
├── QueryTooDeep             422 query-too-deep
└── QueryTooSlow             422 query-too-slow
"""

from django.core.exceptions import ImproperlyConfigured

from backstay.errors import Problem


class DeclarationError(ImproperlyConfigured):
    """A resource is declared wrongly."""


class MaskError(Problem):
    """The mask does not fit the resource."""

    code = 'mask-error'


class MaskParseError(MaskError):
    """The mask cannot be read."""

    code = 'mask-parse-error'


class MaskTooLarge(MaskError):
    """The mask is longer, wider or deeper than is read."""

    code = 'mask-too-large'


class MaskTooExpensive(Problem):
    """The mask would read more rows than one request may."""

    code = 'mask-too-expensive'


class FilterError(Problem):
    """The filter cannot be understood. `reason`, `pointer` say what and where."""

    code = 'filter-invalid'

    def __init__(self, reason: str, detail: str, pointer: str = '') -> None:
        super().__init__(detail, reason=reason, pointer=pointer)
        self.reason = reason
        self.pointer = pointer


class SortError(Problem):
    """The order cannot be understood."""

    code = 'sort-invalid'


class PageError(Problem):
    """The page cannot be understood."""

    code = 'page-invalid'


class PageTooDeep(PageError):
    """The page lies deeper than offsets reach; cursors go on."""

    code = 'page-too-deep'


class CursorError(Problem):
    """The cursor is not one of ours, or of another query or caller."""

    code = 'cursor-invalid'


class ParameterError(Problem):
    """A query parameter that does not exist, or twice."""

    code = 'parameter-unknown'


class QueryTooDeep(Problem):
    """The statement is nested deeper than the database reads."""

    code = 'query-too-deep'


class QueryTooSlow(Problem):
    """The database gave up on the statement."""

    code = 'query-too-slow'
