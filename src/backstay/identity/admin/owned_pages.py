"""Pages of rows that belong to an account: what it signs in with, and where it is signed in."""

from importlib import import_module
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from backstay.identity.admin.safe_pages import SafePages
from backstay.identity.ladder import Deed, may


class OwnedPages(SafePages):
    """Shows rows and deletes them, as far as the ladder lets somebody act on their account."""

    #: What deleting a row does to its account.
    act: ClassVar[Deed]
    list_select_related: ClassVar = ('user',)
    search_fields: ClassVar[tuple[str, ...]] = ('user__username',)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all fields: rows are made where their owner signs in, and never edited."""
        return self.fields or ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid it: such a row would let somebody else in."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid it: a row that is given to another account would let its owner in."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it for rows of accounts on which the signed-in one may act."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or may(request.user, self.act, obj.user))


class SecondFactorAdmin(OwnedPages):
    """The second factors of accounts; their secrets are never shown."""

    act = Deed.FACTOR
    list_display = ('user', 'type', 'created_at', 'last_used_at')
    list_filter = ('type', 'created_at', 'last_used_at')
    fields = ('user', 'type', 'created_at', 'last_used_at')


class AddressAdmin(OwnedPages):
    """The e-mail addresses of accounts, of which the page of an account changes the current one."""

    act = Deed.ADDRESS
    list_display = ('email', 'user', 'primary', 'verified')
    list_filter = ('primary', 'verified')
    search_fields = ('email', 'user__username')
    fields = ('user', 'email', 'primary', 'verified')


class SessionAdmin(OwnedPages):
    """Where accounts are signed in; a session that is deleted here has ended."""

    act = Deed.END
    list_display = ('user', 'created_at', 'last_seen_at', 'ip', 'user_agent')
    search_fields = ('user__username', 'ip')
    fields = ('user', 'created_at', 'last_seen_at', 'ip', 'user_agent')

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        """End the session."""
        obj.end()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        """End the sessions."""
        for session in queryset:
            session.end()


class LinkedAccountAdmin(OwnedPages):
    """Accounts of other sites with which people sign in here."""

    act = Deed.FACTOR
    list_display = ('user', 'provider', 'uid', 'last_login')
    list_filter = ('provider',)
    search_fields = ('uid', 'user__username')
    fields = ('user', 'provider', 'uid', 'last_login', 'date_joined')


def _replace(model: Any, pages: type[OwnedPages] | None) -> None:
    """Give a model of allauth our pages in place of its own, or none."""
    admin.site.unregister(model)
    if pages is not None:
        admin.site.register(model, pages)


_replace(Authenticator, SecondFactorAdmin)
_replace(EmailAddress, AddressAdmin)
_replace(UserSession, SessionAdmin)
if apps.is_installed('allauth.socialaccount'):
    import_module('allauth.socialaccount.admin')  # which else would come after this
    from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken

    _replace(SocialAccount, LinkedAccountAdmin)
    # Their pages show secrets; applications are given in settings, tokens are not kept.
    _replace(SocialApp, None)
    _replace(SocialToken, None)
