"""Bulk creation: the issues that the bot found in a revision.

A request takes the same number of statements whether it has one issue or a thousand.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from backstay.payloads import body_limit
from services.codereview.api import ReviewView, as_json, respond
from services.codereview.documented import new_issues
from services.codereview.elements import NewIssues, read_body
from services.codereview.models import Diff, Revision
from services.codereview.options import option
from services.codereview.storing import Unstored, store

#: Bytes of a body: some 100 000 issues.
MAX_BODY = 64 * 1024 * 1024
#: Tries where others delete or store the same issues at the same time.
_TRIES = 5


class Contended(APIException):
    """Others changed the same issues time and again."""

    status_code = 409
    default_detail = 'The issues changed while they were stored; try again.'


@body_limit(MAX_BODY)
class RevisionIssues(ReviewView, GenericAPIView):
    """The issues that were found in a revision. They are read elsewhere."""

    serializer_class = NewIssues

    @new_issues(NewIssues)
    def post(self, request: Request, revision: str, **_: Any) -> HttpResponseBase:
        """Store them: all, or none where one is wrong. The answer has one for each, in order."""
        for _try in range(_TRIES):
            try:
                return respond(request, self._publish(request.data, _existing(revision)), 201)
            except (IntegrityError, Unstored):
                continue
        raise Contended

    def _publish(self, body: Any, revision: int) -> bytes:
        given, elements = read_body(body)
        diff = _diff_called(given, revision) if given else _newest_diff(revision)
        with transaction.atomic():
            stored = store(revision, diff, elements)
        return as_json({'diff_provider_id': given, 'issues': stored})


def _existing(revision: str) -> int:
    """The key of the revision. Raises Http404 where there is none."""
    key = int(revision) if len(revision) <= 18 else 0
    if not Revision.objects.filter(pk=key).exists():
        raise Http404('No Revision matches the given query.')
    return key


def _diff_called(provider_id: str, revision: int) -> int:
    """The key of a diff of the revision. Raises ValidationError."""
    own = Diff.objects.filter(provider_id=provider_id, revision_id=revision)
    key = own.values_list('pk', flat=True).first()
    if key is None:
        fault = f'Object with provider_id={provider_id} does not exist.'
        raise ValidationError({'diff_provider_id': [fault]})
    return key


def _newest_diff(revision: int) -> int | None:
    """Where issues without a diff belong, on a site that attaches them; else to none."""
    if not option('CODEREVIEW_ATTACH_TO_NEWEST_DIFF'):
        return None
    own = Diff.objects.filter(revision_id=revision).order_by('-created', '-id')
    return own.values_list('pk', flat=True).first()
