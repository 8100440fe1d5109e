"""Signing: whoever signed in with GitHub signs the newest version, once."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backstay.errors import Problem
from services.contributors.models import Agreement, Contributor, Signature


class VersionSerializer(serializers.Serializer):
    """The version that is signed: whoever signs says what they have read."""

    version = serializers.RegexField(r'^\d{1,9}\.\d{1,9}\.\d{1,9}\Z', max_length=32)


class SignedSerializer(serializers.Serializer):
    """What has been signed."""

    version = serializers.CharField()
    signed_at = serializers.DateTimeField()


class Sign(APIView):
    """Sign the agreement."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id='sign_agreement',
        tags=['Contributors'],
        summary='Sign the newest version of the agreement',
        description='Signing again changes nothing and answers the same.',
        request=VersionSerializer,
        responses={
            200: SignedSerializer,
            403: OpenApiResponse(
                description='`github-needed`: sign in with GitHub, or connect it.'
            ),
            409: OpenApiResponse(description='`version-outdated`: another version is the newest.'),
        },
    )
    def post(self, request: Request) -> Response:
        """Record it."""
        asked = VersionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        signature = sign(request.user, asked.validated_data['version'])
        return Response({'version': signature.agreement.version, 'signed_at': signature.signed_at})


def sign(account: Any, version: str) -> Signature:
    """The signature of an account under a version, made unless it is there. Raises Problem."""
    contributor = Contributor.objects.filter(account_id=account.pk).first() if account.pk else None
    if contributor is None:
        raise Problem('Sign in with GitHub first.', status=403, code='github-needed')
    with transaction.atomic():
        newest = Agreement.newest()
        if newest is None or newest.version != version:
            named = newest.version if newest else 'none'
            raise Problem(f'The newest version is {named}.', status=409, code='version-outdated')
        Signature.objects.bulk_create(
            [Signature(contributor=contributor, agreement=newest)], ignore_conflicts=True
        )
    return Signature.objects.select_related('agreement').get(
        contributor=contributor, agreement=newest
    )
