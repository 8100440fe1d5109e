"""The root of the API: where its lists are."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from services.codereview.api import ReviewView, as_json, respond
from services.codereview.documented import ROOT


class Root(ReviewView):
    """The lists of the API."""

    @ROOT
    def get(self, request: Request, **_: Any) -> HttpResponseBase:
        """Their addresses."""
        names = ('repository', 'revision', 'diff')
        lists = {name: request.build_absolute_uri(f'/v1/{name}/') for name in names}
        return respond(request, as_json(lists))
