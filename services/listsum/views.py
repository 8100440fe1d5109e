"""The endpoint of list-sum: FastAPI's contract on a Django REST Framework view."""

from io import BytesIO
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from pydantic import BaseModel
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from backstay.errors import Problem
from backstay.payloads import body_limit
from services.listsum.bodies import MAX_CONTAINERS, Crowded, Refused, TwoLists, read_lists
from services.listsum.sums import has_sum

MAX_BODY = 64 * 1024 * 1024
_PIECE = 64 * 1024


class ValidationError(BaseModel):
    """One fault of a body, as pydantic tells it."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any
    ctx: dict[str, Any] = {}


class HTTPValidationError(BaseModel):
    """What is wrong in a body, as FastAPI tells it."""

    detail: list[ValidationError]


class UnreadableBody(BaseModel):
    """What FastAPI says of a body that is no text or nested too deeply."""

    detail: str


@body_limit(MAX_BODY)
class TwoListSum(APIView):
    """Open to anyone; like FastAPI, it answers JSON whatever the client accepts."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer,)
    http_method_names = ('post',)

    def perform_content_negotiation(self, *_: object, **__: object) -> tuple[BaseRenderer, str]:
        """The one renderer, without a look at Accept."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type

    @extend_schema(
        operation_id='two_list_sum',
        tags=['List-sum'],
        summary='Is the target a sum of one number from each list?',
        description=(
            'Whether `target` equals a + b for some a of `list_a` and some b of `list_b`. Numbers '
            'are positive integers; `"3"` and `3.0` count as 3. Empty lists are allowed. The body '
            'may have 64 MiB.'
        ),
        request={'application/json': TwoLists},
        responses={
            200: OpenApiResponse(OpenApiTypes.BOOL, 'Whether it is.'),
            400: OpenApiResponse(UnreadableBody, 'The body is not UTF-8, or is nested too deeply.'),
            422: OpenApiResponse(HTTPValidationError, 'The body is not as described.'),
        },
        examples=[
            OpenApiExample(
                'two lists',
                {'list_a': [3, 4, 6], 'list_b': [3, 4, 6], 'target': 10},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Answer true or false."""
        try:
            lists = read_lists(_body(request), request.META.get('CONTENT_TYPE', ''))
        except Refused as refused:
            return _json(refused.body(), refused.status)
        except Crowded:
            detail = f'The body may hold {MAX_CONTAINERS} arrays and objects.'
            raise Problem(detail, status=413, code='payload-too-large') from None
        found = has_sum(lists.list_a, lists.list_b, lists.target)
        return _json(b'true' if found else b'false')


@csrf_exempt
@body_limit(MAX_BODY)
def add_slash(request: HttpRequest) -> HttpResponseRedirect:
    """307 to the same address with a slash at its end: the client repeats method and body there."""
    return HttpResponseRedirect(
        request.get_full_path(force_append_slash=True), preserve_request=True
    )


def _body(request: HttpRequest) -> bytes:
    """The bytes of the body, which nobody else holds.

    Django keeps what `request.body` read until the request is collected as a cycle: after the next
    requests, each with a body of its own.
    """
    body = BytesIO()
    while piece := request.read(_PIECE):
        body.write(piece)
    return body.getvalue()


def _json(body: bytes, status: int = 200) -> HttpResponse:
    return HttpResponse(body, status=status, content_type='application/json')
