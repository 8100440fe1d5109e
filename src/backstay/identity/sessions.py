"""The sessions of an account: on which devices it is signed in, and their ends."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from backstay.identity.keys import revoke_keys_of
from backstay.identity.models import TokenPair
from backstay.identity.own_account import IsAccount
from backstay.identity.session_limits import end, limits_of


def live_sessions(account: Any) -> QuerySet[UserSession]:
    """Return the sessions of an account that have not ended, the one used last first."""
    same_key = {'session_key': OuterRef('session_key')}
    alive = Session.objects.filter(expire_date__gt=Now(), **same_key)
    limits, now = limits_of(account), timezone.now()
    sessions: QuerySet[UserSession] = UserSession.objects.filter(
        Exists(alive),
        user_id=account.pk,
        last_seen_at__gt=now - limits.idle,
        created_at__gt=now - limits.life,
    )
    is_app = Exists(TokenPair.objects.filter(**same_key))
    return sessions.annotate(is_app=is_app).order_by('-last_seen_at', '-pk')


class EndSerializer(serializers.Serializer):
    """What ends beside the sessions."""

    keys = serializers.BooleanField(default=False, help_text='End all API keys too.')


def _end_keys(request: Request) -> None:
    is_json = request.content_type == 'application/json'  # a body is not needed
    given = EndSerializer(data=request.data if is_json else {})
    given.is_valid(raise_exception=True)
    if given.validated_data['keys']:
        revoke_keys_of(request.user)


class SessionSerializer(serializers.ModelSerializer):
    """A session, without anything that could take it over."""

    kind = serializers.SerializerMethodField(help_text='`app` for clients with tokens.')
    address = serializers.IPAddressField(source='ip', help_text='At sign-in.')
    agent = serializers.CharField(source='user_agent', help_text='What the client calls itself.')
    started_at = serializers.DateTimeField(source='created_at')
    used_at = serializers.DateTimeField(
        source='last_seen_at', help_text='To some minutes; of an app, its last refresh.'
    )
    is_current = serializers.SerializerMethodField(help_text='Whether this request came in it.')

    class Meta:
        model = UserSession
        fields = ('id', 'kind', 'address', 'agent', 'started_at', 'used_at', 'is_current')

    def get_kind(self, session: Any) -> str:
        """Return `app` or `browser`."""
        return 'app' if session.is_app else 'browser'

    def get_is_current(self, session: Any) -> bool:
        """Whether the request that asks belongs to it."""
        return bool(session.session_key == _own_key(self.context['request']))


def _own_key(request: Request) -> str:
    """The stored key of the session in which the request came; '' for none, as with a password."""
    session: Any = request._request.session
    return getattr(request.user, 'session_key', None) or session.stored_key or ''


@extend_schema(tags=['Identity'])
@extend_schema_view(list=extend_schema(summary='My sessions', operation_id='sessions_list'))
class SessionViewSet(mixins.ListModelMixin, GenericViewSet):
    """The caller's own sessions."""

    permission_classes = (IsAccount,)
    serializer_class = SessionSerializer
    pagination_class = None
    queryset = UserSession.objects.none()
    lookup_value_converter = 'int'

    def get_queryset(self) -> QuerySet[UserSession]:
        """Return the sessions of the account that is signed in."""
        return live_sessions(self.request.user)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Let nobody keep what tells where somebody is signed in."""
        response.headers['Cache-Control'] = 'private, no-store'
        return super().finalize_response(request, response, *args, **kwargs)

    @extend_schema(summary='End a session', operation_id='sessions_end')
    def destroy(self, request: Request, pk: Any = None) -> Response:
        """End one session; what it holds is rejected from the next request on."""
        end(self.get_queryset().filter(pk=self.get_object().pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary='End my other sessions',
        operation_id='sessions_end_others',
        request=EndSerializer,
        responses={204: OpenApiResponse(description='Only the session of this request is left.')},
    )
    @action(detail=False, methods=['post'], url_path='end-others')
    def end_others(self, request: Request) -> Response:
        """End all sessions but the one of this request."""
        _end_keys(request)
        end(self.get_queryset().exclude(session_key=_own_key(request)))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary='End all my sessions',
        operation_id='sessions_end_all',
        request=EndSerializer,
        responses={204: OpenApiResponse(description='No session is left.')},
    )
    @action(detail=False, methods=['post'], url_path='end-all')
    def end_all(self, request: Request) -> Response:
        """End all sessions, the one of this request too."""
        _end_keys(request)
        end(self.get_queryset())
        return Response(status=status.HTTP_204_NO_CONTENT)
