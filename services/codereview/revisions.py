"""Revisions: read by anybody, and created by the bot unless they exist."""

from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from services.codereview.api import ReviewView, is_storable, read_one, respond, respond_page
from services.codereview.documented import REVISION, REVISIONS, new_revision
from services.codereview.models import Provider, Revision
from services.codereview.repositories import RepositoryUrl, repository_at
from services.codereview.resources import RevisionResource

#: The largest number that a column of integers holds.
MOST = 2**31 - 1
_REQUIRED = 'This field is required.'
#: What Django REST Framework lets an integer end in.
_NO_FRACTION = serializers.IntegerField.re_decimal


class NewRevision(serializers.Serializer):
    """The body of a revision that does not exist yet."""

    base_repository = RepositoryUrl()
    head_repository = RepositoryUrl()
    base_changeset = serializers.CharField(
        max_length=40, required=False, allow_null=True, allow_blank=True
    )
    head_changeset = serializers.CharField(
        max_length=40, required=False, allow_null=True, allow_blank=True
    )
    provider = serializers.ChoiceField(choices=Provider.choices)
    provider_id = serializers.IntegerField(min_value=1, max_value=MOST, allow_null=True)
    title = serializers.CharField(max_length=250)
    bugzilla_id = serializers.IntegerField(
        min_value=0, max_value=MOST, required=False, allow_null=True
    )

    def create(self, validated_data: dict[str, Any]) -> Revision:
        """Store it, and its repositories where they are new."""
        for field in ('base_repository', 'head_repository'):
            validated_data[field] = repository_at(validated_data[field], field)
        return Revision.objects.create(**validated_data)


class RevisionList(ReviewView, GenericAPIView):
    """The revisions, by provider and number."""

    serializer_class = NewRevision

    @REVISIONS
    def get(self, request: Request, **_: Any) -> HttpResponseBase:
        """A page of them."""
        return respond_page(request, RevisionResource)

    @new_revision(NewRevision)
    def post(self, request: Request, **_: Any) -> HttpResponseBase:
        """The stored revision (200), or a new one (201)."""
        body = _object(request.data)
        missing = {name: [_REQUIRED] for name in ('provider', 'provider_id') if name not in body}
        if missing:
            raise ValidationError(missing)
        for _try in range(2):
            if found := stored(body):
                return self._answer(request, found, 200)
            try:
                with transaction.atomic():
                    new = self.get_serializer(data=body)
                    new.is_valid(raise_exception=True)
                    revision: Revision = new.save()
                return self._answer(request, revision.pk, 201)
            except IntegrityError:  # somebody stored it a moment ago
                continue
        raise ValidationError({'provider_id': ['revision with this provider id already exists.']})

    def _answer(self, request: Request, pk: int, status: int) -> HttpResponseBase:
        found = read_one(request, RevisionResource, [{'field': 'id', 'value': pk}])
        return respond(request, found or b'null', status)


class RevisionDetail(ReviewView):
    """One revision."""

    @REVISION
    def get(self, request: Request, id: str, **_: Any) -> HttpResponseBase:  # noqa: A002 the path's
        """By its number here, which is not that of its provider."""
        found = read_one(request, RevisionResource, [{'field': 'id', 'value': id}])
        if found is None:
            raise Http404('No Revision matches the given query.')
        return respond(request, found)


def _object(data: Any) -> Any:
    if not hasattr(data, 'keys'):
        kind = type(data).__name__
        message = f'Invalid data. Expected a dictionary, but got {kind}.'
        raise ValidationError({'non_field_errors': [message]})
    return data


def stored(body: Any) -> int | None:
    """The key of the revision that a body names by its provider's number; None without one.

    Numbers of pull requests begin anew in every repository.
    """
    provider, number = body.get('provider'), _number(body.get('provider_id'))
    if number is None or provider not in Provider.values:
        return None
    named = Revision.objects.filter(provider=provider, provider_id=number)
    if provider == Provider.GITHUB:
        url = body.get('base_repository')
        if not isinstance(url, str) or not is_storable(url):
            return None
        named = named.filter(base_repository__url=url.strip())
    return named.values_list('pk', flat=True).first()


def _number(given: Any) -> int | None:
    """The number that is given, where a revision could have it: 1001, "1001", 1001.0."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    text = _NO_FRACTION.sub('', str(given))
    try:
        number = int(text) if len(text) <= 20 else 0
    except ValueError:
        return None
    return number if 1 <= number <= MOST else None
