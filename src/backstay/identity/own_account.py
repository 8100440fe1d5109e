"""What an account may do about itself alone: see everything that is held about it, and end it."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backstay.identity.callers import caller_of
from backstay.identity.personal_data import as_json, erase, export
from backstay.identity.recent import refuse_old_sign_in

_TAGS = ['Identity']


class IsAccount(BasePermission):
    """Allows accounts but no keys, because a key must not make others or end an account."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller is an account."""
        return caller_of(request).kind == 'account'


class OwnDataView(APIView):
    """Everything that the site holds about the account that is signed in."""

    permission_classes = (IsAccount,)

    @extend_schema(
        operation_id='own_data',
        summary='Everything held about me',
        tags=_TAGS,
        responses={
            200: OpenApiResponse({'type': 'object'}, 'Rows by kind, by part of the site.'),
            403: OpenApiResponse(description='sign-in-too-old'),
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Return every row about the account, by its kind, part by part."""
        refuse_old_sign_in(request)
        return StreamingHttpResponse(
            as_json(export(caller_of(request).account_id)),
            content_type='application/json',
            headers={
                'Cache-Control': 'private, no-store',
                'Content-Disposition': 'attachment; filename="account.json"',
            },
        )


class EraseSerializer(serializers.Serializer):
    """The user name of the account, typed again."""

    username = serializers.CharField(max_length=254)


class EraseView(APIView):
    """The end of the account that is signed in."""

    permission_classes = (IsAccount,)

    @extend_schema(
        operation_id='own_account_erase',
        summary='Erase my account',
        tags=_TAGS,
        request=EraseSerializer,
        responses={
            204: OpenApiResponse(description='The account is erased and can never sign in again.'),
            403: OpenApiResponse(description='sign-in-too-old'),
        },
    )
    def post(self, request: Request) -> Response:
        """Erase what is held about the account."""
        refuse_old_sign_in(request)
        given = EraseSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user: Any = request.user
        if given.validated_data['username'] != user.get_username():
            raise serializers.ValidationError({'username': 'It is not the name of this account.'})
        erase(user.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
