"""The views of the sample service."""

import time
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseForbidden,
    HttpResponseNotFound,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backstay.errors import Problem
from backstay.identity.addresses import address_of
from backstay.payloads import body_limit


def hello(request: HttpRequest, name: str = '') -> HttpResponse:
    return JsonResponse({'hello': name})


def who(request: HttpRequest) -> HttpResponse:
    return JsonResponse({'who': str(request.user.pk)})


def statements(request: HttpRequest) -> HttpResponse:
    accounts = get_user_model()._default_manager
    return JsonResponse([accounts.filter(username=name).count() for name in 'ab'], safe=False)


def problem(request: HttpRequest) -> HttpResponse:
    raise Problem('It has gone.', status=410, code='gone', headers={'X-Why': 'test'})


def bug(request: HttpRequest) -> HttpResponse:
    raise RuntimeError('a bug')


def arrival(request: HttpRequest) -> HttpResponse:
    """Tell everything that a view can learn of where the request came from."""
    came = request.META['backstay.arrival']
    texts = (each for key, each in request.META.items() if key.startswith('HTTP_'))
    return JsonResponse(
        {
            'address': [came.address, request.META['REMOTE_ADDR'], str(address_of(request))],
            'host': [came.host, request.get_host()],
            'scheme': [came.scheme, request.scheme],
            'by': [came.address_by, came.host_by, came.scheme_by],
            'link': request.build_absolute_uri('/'),
            'headers': ' '.join(map(str, texts)),
            'names': sorted(key for key in request.META if key.startswith('HTTP_')),
        }
    )


def rows(request: HttpRequest) -> StreamingHttpResponse:
    """Send 64 KiB for each of `n` rows; break off after `breaks` of them."""
    number, breaks = int(request.GET['n']), int(request.GET.get('breaks', '-1'))

    def made() -> Iterator[bytes]:
        for at in range(number):
            if at == breaks:
                raise RuntimeError('the database is away')
            yield b'x' * 65_536

    return StreamingHttpResponse(made())


def whole(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b'x' * int(request.GET['n']))


def slow(request: HttpRequest) -> HttpResponse:
    time.sleep(1)
    return HttpResponse('done')


@csrf_exempt
def length(request: HttpRequest) -> HttpResponse:
    return JsonResponse({'length': len(request.body)})


@csrf_exempt
@body_limit(10)
def short(request: HttpRequest) -> HttpResponse:
    return JsonResponse({'length': len(request.body)})


class Open(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()


@body_limit(20)
class Echo(Open):
    def post(self, request: Request) -> Response:
        return Response(request.data)


class Teapot(Open):
    def get(self, _: Request) -> Response:
        return Response(status=418)


def page(response: type[HttpResponse], text: str = '') -> Any:
    return lambda _: response(text)


urlpatterns = [
    path('hello/', hello),
    path('hello/<str:name>/', hello),
    path('who/', who),
    path('statements/', statements),
    path('problem/', problem),
    path('bug/', bug),
    path('slow/', slow),
    path('arrival/', arrival),
    path('rows/', rows),
    path('whole/', whole),
    path('length/', length),
    path('short/', short),
    path('echo/', Echo.as_view()),
    path('teapot/', Teapot.as_view()),
    path('reading/', require_GET(hello)),
    path('nothing/', page(HttpResponseNotFound)),
    path('refused/', page(HttpResponseForbidden, '<h1>No</h1>')),
    path('busy/', lambda _: HttpResponse('busy', status=503)),
    path('text/', lambda _: HttpResponseBadRequest('why', content_type='text/plain')),
    path('page/', page(HttpResponse, '<h1>Yes</h1>')),
]
