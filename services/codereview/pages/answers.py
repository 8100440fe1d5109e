"""How a page answers: rendered for a person, and so that nothing in the data can run.

Whatever a page refuses, it refuses as a page too: 400 for a parameter, 404 for what is not there.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from rest_framework.exceptions import ValidationError

from backstay.errors import Problem, phrase_of

#: Stricter than that of other pages: no style inside a page either, and nothing is fetched.
POLICY = '; '.join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

Context = dict[str, Any]
Reads = Callable[..., Context]


def page(template: str) -> Callable[[Reads], Callable[..., HttpResponse]]:
    """A view from a function that reads what the template shows."""

    def view_of(reads: Reads) -> Callable[..., HttpResponse]:
        @require_safe
        @wraps(reads)
        def view(request: HttpRequest, **named: str) -> HttpResponse:
            try:
                return _rendered(request, template, reads(request, **named))
            except Http404 as error:
                return _refused(request, 404, str(error))
            except ValidationError as error:
                return _refused(request, 400, str(error.detail['detail']))  # type: ignore[call-overload]
            except Problem as problem:
                return _refused(request, problem.answer_status, problem.detail)

        return view

    return view_of


@page('')
def nothing_here(request: HttpRequest) -> Context:  # noqa: ARG001 the signature of a page
    """For an address that no page has."""
    raise Http404('There is no page at this address.')


def _rendered(
    request: HttpRequest, template: str, context: Context, status: int = 200
) -> HttpResponse:
    response = render(request, template, context, status=status)
    response.headers['Content-Security-Policy'] = POLICY
    response.headers['Cache-Control'] = 'private, no-cache'
    return response


def _refused(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    context = {'status': status, 'title': phrase_of(status), 'detail': detail}
    return _rendered(request, 'codereview/refused.html', context, status)
