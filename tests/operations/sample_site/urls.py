"""The views of the sample service."""

import time
from typing import Any

from django.contrib.auth import get_user_model
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseForbidden,
    HttpResponseNotFound,
    JsonResponse,
)
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backstay.errors import Problem
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
