"""Diffs of one revision, where the bot creates them, and of all, with the issues found in them."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.validators import UniqueValidator

from backstay.engine import is_ilike
from services.codereview.api import ReviewView, is_storable, read_one, respond, respond_page
from services.codereview.documented import (
    DIFF,
    DIFF_OF_REVISION,
    DIFFS,
    DIFFS_OF_REVISION,
    new_diff,
)
from services.codereview.models import Diff, DiffText, Repository, Revision
from services.codereview.moments import midnight, window_start
from services.codereview.resources import DiffResource, ListedDiffResource

#: Diffs that a filter names by their keys.
MAX_NAMED = 499


class ExistingRepository(serializers.CharField):
    """The URL of a repository that exists; none is created for a diff."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """An empty text is no URL, and said to be null."""
        return super().run_validation(None if data == '' else data)

    def to_internal_value(self, data: Any) -> Any:
        """The repository."""
        url = super().to_internal_value(data)
        self.run_validators(url)
        if found := Repository.objects.filter(url=url).first():
            return found
        raise ValidationError(f'Object with url={url} does not exist.')

    def to_representation(self, value: Any) -> str:
        """The URL."""
        return str(value)


def _unique(name: str) -> UniqueValidator:
    message = f'diff with this {name} already exists.'
    return UniqueValidator(Diff.objects.all(), message=message)


class NewDiff(serializers.Serializer):
    """The body of a new diff."""

    provider_id = serializers.RegexField(
        r'\A[0-9A-Za-z-]+\Z',
        max_length=40,
        validators=[_unique('provider id')],
        error_messages={'invalid': 'Use letters, digits and hyphens.'},
    )
    review_task_id = serializers.CharField(max_length=30, validators=[_unique('review task id')])
    mercurial_hash = serializers.CharField(max_length=40)
    repository = ExistingRepository()


class RevisionDiffList(ReviewView, GenericAPIView):
    """The diffs of a revision, the oldest first."""

    serializer_class = NewDiff

    @DIFFS_OF_REVISION
    def get(self, request: Request, revision: str, **_: Any) -> HttpResponseBase:
        """A page of them; empty where there is no such revision."""
        return respond_page(request, DiffResource, [{'field': 'revision_id', 'value': revision}])

    @new_diff(NewDiff)
    def post(self, request: Request, revision: str, **_: Any) -> HttpResponseBase:
        """Store one."""
        pk = self._create(request.data, revision)
        found = read_one(request, DiffResource, [{'field': 'id', 'value': pk}])
        return respond(request, found or b'null', 201)

    def _create(self, body: Any, revision: str) -> int:
        for _try in range(2):
            new = self.get_serializer(data=body)
            new.is_valid(raise_exception=True)
            owner = get_object_or_404(Revision, pk=_key(revision))
            number = _number(body.get('id'))
            try:
                with transaction.atomic():
                    created = Diff.objects.create(
                        revision=owner, number=number, **new.validated_data
                    )
                return int(created.pk)
            except IntegrityError:  # somebody stored it a moment ago: now validation tells
                continue
        raise ValidationError({'non_field_errors': ['The diff cannot be stored.']})


class RevisionDiffDetail(ReviewView):
    """One diff of a revision."""

    @DIFF_OF_REVISION
    def get(
        self,
        request: Request,
        revision: str,
        id: str,  # noqa: A002 the path's
        **_: Any,
    ) -> HttpResponseBase:
        """By its number here, or else by that of Phabricator."""
        own = {'field': 'revision_id', 'value': revision}
        found = read_one(
            request, DiffResource, *([own, each] for each in named(id)), ordering='-id'
        )
        if found is None:
            raise Http404('No Diff matches the given query.')
        return respond(request, found)


class DiffList(ReviewView):
    """The diffs of the last 90 days, the newest first."""

    @DIFFS
    def get(self, request: Request, **_: Any) -> HttpResponseBase:
        """A page of those that the parameters leave."""
        return respond_page(request, ListedDiffResource, filters_of(request.query_params))


class DiffDetail(ReviewView):
    """One diff, however old."""

    @DIFF
    def get(self, request: Request, id: str, **_: Any) -> HttpResponseBase:  # noqa: A002 the path's
        """By its number here, or else by that of Phabricator."""
        found = read_one(
            request, ListedDiffResource, *([each] for each in named(id)), ordering='-id'
        )
        if found is None:
            raise Http404('No Diff matches the given query.')
        return respond(request, found)


def filters_of(asked: Mapping[str, str], *, undiffed: bool = False) -> list[Any]:
    """Filters for the diffs of the window that the parameters leave: a statement for a slug.

    With `undiffed`, a diff also has the issues that its revision has in no diff.
    """
    since = midnight(window_start()).isoformat()
    filters: list[Any] = [{'field': 'since', 'op': '>=', 'value': since}]
    if 'repository' in asked:
        filters.append(_in_repository(asked['repository']))
    if search := asked.get('search'):
        filters.append(_with_text(search))
    match asked.get('issues'):
        case 'any':
            filters.append(_with_any('nb_issues', *(['undiffed'] if undiffed else [])))
        case 'publishable':
            more = ['undiffed_publishable'] if undiffed else []
            filters.append(_with_any('nb_issues_publishable', *more))
        case 'no':
            names = ('nb_issues', 'undiffed') if undiffed else ('nb_issues',)
            filters += ({'field': name, 'op': '==', 'value': 0} for name in names)
    return filters


def _with_any(*names: str) -> dict[str, Any]:
    """Diffs of which one of these counters is not 0."""
    return {'or': [{'field': name, 'op': '>', 'value': 0} for name in names]}


def _in_repository(slug: str) -> dict[str, Any]:
    """Diffs of a repository, or of revisions that come from or go to it: one statement."""
    known = is_storable(slug)
    key = Repository.objects.filter(slug=slug).values_list('pk', flat=True).first() if known else 0
    names = ('repository_id', 'base_repository_id', 'head_repository_id')
    # No repository has the key 0.
    return {'or': [{'field': name, 'value': key or 0} for name in names]}


def _with_text(text: str) -> dict[str, Any]:
    """Diffs in whose numbers, ids, name (`D51`) or title the text stands: one statement.

    Few of them are named by their keys, which an index has found; a text that many have is looked
    for again in the order of the list, which soon finds a page.
    """
    written = contains(text, 'searched')
    if not is_storable(text):
        return written
    (pattern,) = (each['value'] for each in written['or'])
    having = DiffText.objects.filter(is_ilike(F('text'), Value(pattern)))
    keys = list(having.values_list('pk', flat=True)[: MAX_NAMED + 1])
    # No diff has the key 0.
    return written if len(keys) > MAX_NAMED else {'field': 'id', 'op': 'in', 'value': keys or [0]}


def contains(text: str, *names: str) -> dict[str, Any]:
    """A filter for rows that have the text in one of these fields, as it is and in any case."""
    pattern = '%' + re.sub(r'([\\%_])', r'\\\1', text) + '%'
    return {'or': [{'field': name, 'op': 'ilike', 'value': pattern} for name in names]}


def named(number: str) -> list[dict[str, Any]]:
    """Filters for a number in a path: ours, and that of Phabricator."""
    return [{'field': name, 'value': number} for name in ('id', 'number')]


def _key(text: str) -> int:
    """The key in a path; 0, which no row has, for what is too large to be one."""
    return int(text) if len(text) <= 18 else 0


def _number(given: Any) -> int | None:
    """What the bot knows a diff by; whatever is no number is not kept."""
    text = str(given).strip()
    if isinstance(given, bool) or not re.fullmatch(r'[0-9]{1,18}', text):
        return None
    return int(text)
