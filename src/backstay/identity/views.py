"""The platform's own endpoints under `/auth/`: the caller and the caller's API keys."""

import re
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from backstay.caller import Held
from backstay.identity.addresses import network_of
from backstay.identity.callers import caller_of
from backstay.identity.email_changes import undo_change
from backstay.identity.keys import create_key, revoke_key, rotate_key
from backstay.identity.limits import UNDOS_FROM, guarded
from backstay.identity.models import HIGHEST_LEVEL, LOWEST_LEVEL, ApiKey
from backstay.identity.own_account import IsAccount
from backstay.identity.recent import refuse_old_sign_in
from backstay.identity.rights import rights_of
from backstay.identity.throttles import AddressThrottle
from backstay.resources.errors import PageError

_TAGS = ['Identity']


class ScopeSerializer(serializers.Serializer):
    """A level over one thing, or over all things of a kind."""

    over = serializers.CharField(max_length=100)
    id = serializers.JSONField(allow_null=True, help_text='A number or a text; null for all.')
    level = serializers.IntegerField(min_value=0, max_value=HIGHEST_LEVEL)
    read_only = serializers.BooleanField(default=False)  # type: ignore[assignment]

    def validate_id(self, value: Any) -> Any:
        """Reject values that no primary key has."""
        if isinstance(value, bool) or not isinstance(value, int | str | None):
            raise serializers.ValidationError('Give a number, a text or null.')
        return value


class RightsSerializer(serializers.Serializer):
    """The rights of a caller on a resource, for at least some of its rows."""

    read = serializers.ListField(child=serializers.CharField())
    write = serializers.ListField(child=serializers.CharField())
    create = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    delete = serializers.BooleanField()


class OwnAccountSerializer(serializers.Serializer):
    """The account that is signed in."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()


class MeSerializer(serializers.Serializer):
    """The caller, with everything that decides on rights."""

    kind = serializers.ChoiceField(choices=['account', 'key', 'pipeline'])
    name = serializers.CharField()
    account = OwnAccountSerializer(allow_null=True)
    level = serializers.IntegerField(help_text='Held everywhere.')
    highest_level = serializers.IntegerField(help_text='Held over something.')
    scopes = ScopeSerializer(many=True)
    rights = serializers.DictField(child=RightsSerializer(), help_text='By resource.')


class MeView(APIView):
    """The caller and the caller's rights."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id='me', responses=MeSerializer, tags=_TAGS, summary='Who am I')
    def get(self, request: Request) -> Response:
        """Return the caller with its level and scopes, and its rights on each resource."""
        caller = caller_of(request)
        user: Any = request.user
        account = None
        if caller.kind == 'account':
            account = {
                'id': user.pk,
                'username': user.get_username(),
                'email': user.email,
                'name': user.name,
            }
        body = {
            'kind': caller.kind,
            'name': caller.name,
            'account': account,
            'level': caller.level,
            'highest_level': caller.standing().level,
            'scopes': [asdict(held) for held in caller.scopes],
            'rights': rights_of(caller),
        }
        return Response(body, headers={'Cache-Control': 'private, no-store'})


class UndoSerializer(serializers.Serializer):
    """The text that was mailed to the old address."""

    undo = serializers.RegexField('^ceu_[A-Za-z0-9_-]{43}$')


class UndoEmailView(APIView):
    """The way back to an address that an account had until a moment ago."""

    # Anybody who reads the old address's mail may do it, signed in or not.
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (AddressThrottle,)

    @extend_schema(
        operation_id='email_undo',
        summary='Undo a change of the e-mail address',
        tags=_TAGS,
        request=UndoSerializer,
        responses={
            204: OpenApiResponse(description='The old address is back; all sessions have ended.'),
            409: OpenApiResponse(description='email-taken'),
            410: OpenApiResponse(description='expired'),
        },
    )
    def post(self, request: Request) -> Response:
        """Give the account its old address back, and end its sessions."""
        given = UndoSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with guarded(UNDOS_FROM, network_of(request._request)) as attempt:
            undo_change(given.validated_data['undo'])
            attempt.succeeded = True
        return Response(status=status.HTTP_204_NO_CONTENT)


class KeySerializer(serializers.ModelSerializer):
    """An API key, without its secret."""

    name = serializers.RegexField(r'\S', max_length=100, help_text='What it is for.')
    scopes: Any = serializers.ListSerializer(child=ScopeSerializer(), allow_null=True, default=None)
    level = serializers.IntegerField(
        min_value=LOWEST_LEVEL,
        max_value=HIGHEST_LEVEL,
        default=LOWEST_LEVEL,
        help_text='The most that it may do anywhere.',
    )
    ip_allow = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=50, default=list
    )
    expires_at = serializers.DateTimeField(required=False)

    class Meta:
        model = ApiKey
        fields = (
            'id',
            'name',
            'prefix',
            'level',
            'scopes',
            'ip_allow',
            'created_at',
            'expires_at',
            'last_used_at',
            'revoked_at',
        )
        read_only_fields = ('id', 'prefix', 'created_at', 'last_used_at', 'revoked_at')

    def validate(self, attrs: Any) -> Any:
        """Refuse what the site alone decides, which the document says is not given."""
        given = [name for name in KeySerializer.Meta.read_only_fields if name in self.initial_data]
        if given:
            raise serializers.ValidationError(dict.fromkeys(given, 'It cannot be given.'))
        return attrs


class NewKeySerializer(KeySerializer):
    """An API key with its secret, which is shown only when it is made."""

    key = serializers.CharField(read_only=True, help_text='Shown once.')

    class Meta(KeySerializer.Meta):
        fields: Any = (*KeySerializer.Meta.fields, 'key')


class KeyPages(LimitOffsetPagination):
    """Pages of keys, with the same parameters as all lists."""

    default_limit = 20
    max_limit = 100

    def get_limit(self, request: Request) -> int:
        """Return the requested number of keys; raise PageError for an invalid one."""
        return _whole(request, 'limit', self.default_limit, least=1, most=self.max_limit)

    def get_offset(self, request: Request) -> int:
        """Return the requested number of keys to skip; raise PageError for an invalid one."""
        return _whole(request, 'offset', 0, least=0, most=10_000)


def _whole(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    given = request.query_params.getlist(name) or [str(default)]
    if len(given) > 1 or not re.fullmatch(r'[0-9]{1,6}', given[0], re.ASCII):
        raise PageError(f'{name} must be given once, as a whole number.')
    if not least <= int(given[0]) <= most:
        raise PageError(f'{name} must lie between {least} and {most}.')
    return int(given[0])


@extend_schema(tags=_TAGS)
@extend_schema_view(
    list=extend_schema(summary='My API keys', operation_id='keys_list'),
    destroy=extend_schema(summary='Revoke an API key', operation_id='keys_revoke'),
)
class KeyViewSet(mixins.ListModelMixin, GenericViewSet):
    """The caller's own API keys."""

    permission_classes = (IsAccount,)
    serializer_class = KeySerializer
    pagination_class = KeyPages
    queryset = ApiKey.objects.none()
    lookup_value_converter = 'int'

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep every answer out of caches: it tells of the keys of one account."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer.headers['Cache-Control'] = 'private, no-store'
        return answer

    def get_queryset(self) -> QuerySet[ApiKey]:
        """Return the keys of the account that is signed in."""
        return ApiKey.objects.filter(creator_id=caller_of(self.request).account_id)

    @extend_schema(
        summary='Make an API key',
        operation_id='keys_create',
        responses={
            201: NewKeySerializer,
            403: OpenApiResponse(description='sign-in-too-old'),
            409: OpenApiResponse(description='too-many-keys'),
        },
    )
    def create(self, request: Request) -> Response:
        """Make a key; only this answer contains its secret."""
        refuse_old_sign_in(request)
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = dict(given.validated_data)
        scopes = asked.pop('scopes')
        held = None if scopes is None else [Held(**each) for each in scopes]
        try:
            made, key = create_key(request.user, scopes=held, **asked)
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from None
        return _shown_once(made, key)

    def destroy(self, request: Request, pk: Any = None) -> Response:
        """Revoke the key; it is rejected from the next request on."""
        revoke_key(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary='Replace an API key',
        operation_id='keys_rotate',
        request=None,
        responses={201: NewKeySerializer},
    )
    @action(detail=True, methods=['post'])
    def rotate(self, request: Request, pk: Any = None) -> Response:
        """Make a new key with the rights of this one, which is revoked."""
        refuse_old_sign_in(request)
        return _shown_once(*rotate_key(self.get_object()))


def _shown_once(made: ApiKey, key: str) -> Response:
    body = {**KeySerializer(made).data, 'key': key}
    return Response(body, status=status.HTTP_201_CREATED)
