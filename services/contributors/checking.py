"""Checking: a workflow asks which authors of its pull request have signed. Nobody else may.

Who it is, GitHub's identity of the run tells, with the owner and the workflow that the site names
(`backstay.identity.pipelines`). Whoever could ask for any address could find out who has signed.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backstay.contributing.agreement import still_counts
from backstay.errors import Problem
from backstay.identity import caller_of
from services.contributors.models import Agreement, Contributor

#: Authors of one question, at most: as many as the commits of a pull request can have.
AUTHORS = 500
NEVER, EARLIER = 'no_agreement_signatures', 'old_agreement_signatures'


class AuthorSerializer(serializers.Serializer):
    """An author of a commit: the id of the GitHub account, or the address when there is none."""

    id = serializers.IntegerField(min_value=1, max_value=2**62, required=False)
    address = serializers.CharField(max_length=254, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse an author who is neither."""
        if not attrs:
            raise serializers.ValidationError('Give an id or an address.', code='required')
        return attrs


class QuestionSerializer(serializers.Serializer):
    """Who is asked about."""

    authors = serializers.ListField(child=AuthorSerializer(), min_length=1, max_length=AUTHORS)
    sign_anew = serializers.ChoiceField(
        ('major', 'minor', 'patch'),
        default='major',
        help_text='The part of the version whose change asks to sign anew.',
    )


class AnswerSerializer(AuthorSerializer):
    """Whether an author has signed, and why not."""

    has_signed = serializers.BooleanField()
    reason = serializers.ChoiceField((NEVER, EARLIER), allow_null=True)


class VerdictSerializer(serializers.Serializer):
    """The version that is asked for, and the authors in the order of the question."""

    version = serializers.CharField()
    authors = AnswerSerializer(many=True)


class IsPipeline(BasePermission):
    """Only workflows that the site names."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 DRF's
        """Whether the caller is one."""
        return caller_of(request).kind == 'pipeline'


class Check(APIView):
    """Who of these has signed?"""

    permission_classes = (IsPipeline,)

    @extend_schema(
        operation_id='check_authors',
        tags=['Contributors'],
        summary='Ask which authors have signed, as a workflow',
        request=QuestionSerializer,
        responses=VerdictSerializer,
    )
    def post(self, request: Request) -> Response:
        """Answer for each author."""
        asked = QuestionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        newest = Agreement.newest()
        if newest is None:
            raise Problem('There is no agreement yet.', status=409, code='no-agreement')
        signed = versions_of(asked.validated_data['authors'])
        anew = asked.validated_data['sign_anew']
        answers = [
            {**author, **_verdict(signed(author), newest.version, anew)}
            for author in asked.validated_data['authors']
        ]
        return Response({'version': newest.version, 'authors': answers})


def versions_of(authors: Iterable[dict[str, Any]]) -> Callable[[dict[str, Any]], list[str]]:
    """Return a function from an author to the versions that they signed. Costs four statements."""
    ids = {author['id'] for author in authors if 'id' in author}
    addresses = {_plain(author['address']) for author in authors if 'address' in author}
    found = (
        Contributor.objects.filter(Q(github_id__in=ids) | Q(addresses__address__in=addresses))
        .distinct()
        .prefetch_related('addresses', 'signatures__agreement')
    )
    by_id: dict[int, list[str]] = {}
    by_address: dict[str, list[str]] = {}
    for each in found:
        versions = [signature.agreement.version for signature in each.signatures.all()]
        by_id[each.github_id] = versions
        by_address |= {known.address: versions for known in each.addresses.all()}

    def look_up(author: dict[str, Any]) -> list[str]:
        if 'id' in author:
            return by_id.get(author['id'], [])
        return by_address.get(_plain(author['address']), [])

    return look_up


def _verdict(versions: list[str], wanted: str, sign_anew: str) -> dict[str, Any]:
    if any(still_counts(version, wanted, sign_anew) for version in versions):
        return {'has_signed': True, 'reason': None}
    return {'has_signed': False, 'reason': EARLIER if versions else NEVER}


def _plain(address: str) -> str:
    return address.strip().lower()
