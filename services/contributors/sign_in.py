"""Signing in with GitHub: each time, who it is and which addresses are verified is remembered.

allauth does the signing in (`/auth/`, headless). An address opens no account by itself: whoever has
one connects it while signed in.
"""

from typing import Any

from allauth.account.signals import user_logged_in
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.signals import social_account_added
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from services.contributors.models import Address, Contributor


class GitHubAccounts(DefaultSocialAccountAdapter):
    """What allauth asks a site about accounts of GitHub."""

    def is_open_for_signup(
        self,
        request: HttpRequest,  # noqa: ARG002 the signature is allauth's
        sociallogin: SocialLogin,
    ) -> bool:
        """Let people make an account where the site is open, or this service says that it is."""
        is_open = settings.BACKSTAY.sign_up or getattr(settings, 'CONTRIBUTORS_SIGN_UP', False)
        return bool(is_open and sociallogin.account.provider == 'github')

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> Any:
        """Call the account by its address, as all others are, and by the name at GitHub."""
        user = super().populate_user(request, sociallogin, data)
        user.name = str(data.get('name') or data.get('username') or '')[:150]
        return user


def connect() -> None:
    """Hear of everybody who signs in with GitHub or connects it."""
    user_logged_in.connect(_signed_in, dispatch_uid='contributors.signed_in')
    social_account_added.connect(_connected, dispatch_uid='contributors.connected')


def _signed_in(user: Any, **told: Any) -> None:
    if login := told.get('sociallogin'):
        remember(user, login)


def _connected(sociallogin: SocialLogin, **_told: Any) -> None:
    remember(sociallogin.user, sociallogin)


def remember(account: Any, login: SocialLogin) -> Contributor | None:
    """The contributor behind a sign-in, with the addresses that are verified now.

    What GitHub no longer tells of stays out: an address may have gone to somebody else.
    """
    if login.account.provider != 'github':
        return None
    verified = {each.email.lower() for each in login.email_addresses if each.verified}
    with transaction.atomic():
        Contributor.objects.filter(account=account).exclude(
            github_id=int(login.account.uid)
        ).update(account=None)
        contributor, _ = Contributor.objects.update_or_create(
            github_id=int(login.account.uid),
            defaults={'account': account, 'login': str(login.account.extra_data['login'])[:100]},
        )
        Address.objects.filter(contributor=contributor).exclude(address__in=verified).delete()
        # GitHub gives an address to one account alone: whoever had it before has lost it.
        Address.objects.filter(address__in=verified).exclude(contributor=contributor).delete()
        Address.objects.bulk_create(
            [Address(contributor=contributor, address=address) for address in sorted(verified)],
            ignore_conflicts=True,
        )
    return contributor
