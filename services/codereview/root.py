"""The root of the API: where its lists are."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from services.codereview.api import ReviewView, as_json, respond
from services.codereview.documented import ROOT


class Root(ReviewView):
    """The lists of the API."""

    @ROOT
    def get(self, request: Request, **named: Any) -> HttpResponseBase:
        """Their addresses, which name a format where that of the root does."""
        names = ('repository', 'revision', 'diff')
        end = f'.{named["format"]}' if 'format' in named else '/'
        lists = {name: request.build_absolute_uri(f'/v1/{name}{end}') for name in names}
        return respond(request, as_json(lists))
