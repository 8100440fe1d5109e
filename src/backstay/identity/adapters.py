"""Adapters for allauth: how accounts are made, which mails leave, which secrets are encrypted."""

import json
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.password_reset_by_code import (
    PASSWORD_RESET_VERIFICATION_SESSION_KEY,
)
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from backstay.audit import record
from backstay.identity import stages
from backstay.identity.addresses import address_of, network_of
from backstay.identity.email_changes import remember_change
from backstay.identity.keys import active_keys, revoke_keys_of
from backstay.identity.limits import MAILS_FROM, RESETS
from backstay.identity.loading import account_called
from backstay.identity.mails import plain_name
from backstay.identity.problems import AccountBlocked, SignInThrottled, answered_as_problems
from backstay.identity.second_factor import FACTOR_USE
from backstay.secret_keys import ciphers, is_mac_of, mac_of


class SignupFields(forms.Form):
    """The fields of a sign-up beside address and password."""

    name = forms.CharField(max_length=150, required=False)

    def clean(self) -> dict[str, Any]:
        """Reject a password that resembles the other fields; allauth checks it without them."""
        given = super().clean() or self.cleaned_data
        if password := given.get('password'):
            address = given.get('email', '')
            draft = get_user_model()(username=address, email=address, name=given.get('name', ''))
            try:
                validate_password(password, draft)
            except forms.ValidationError as error:
                self.add_error('password', error)
        return given

    def signup(self, request: HttpRequest, user: Any) -> None:
        """Save the name of the new account, if one was given."""
        if name := self.cleaned_data.get('name', '').strip():
            user.name = name
            user.save(update_fields=['name'])


#: Mails that anybody can cause without signing in.
_ASKED_FOR = (
    'email_confirmation_signup',
    'email_confirmation',
    'account_already_exists',
    'unknown_account',
    'password_reset_code',
)


#: Notices that an account has a new password.
_NEW_PASSWORDS = tuple(f'account/email/password_{verb}' for verb in ('changed', 'set', 'reset'))
#: The attribute of a request with the number of API keys that ended with the old password.
_KEYS_ENDED = '_backstay_keys_ended'
#: The key in the session under which a request for a new password keeps the account's mark.
_RESET_MARK = 'backstay_reset_mark'
#: Seconds after which every limit that allauth answers as a fault lets one more pass.
_LONGEST_LIMIT = 5 * 60


class AccountAdapter(DefaultAccountAdapter):
    """Names accounts after their address; no answer and no delay reveals whether one exists."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Allow sign-up unless the site forbids it, or cannot send the mail that it needs."""
        environment = settings.BACKSTAY
        return bool(environment.sign_up and (environment.email_url or not environment.is_deployed))

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """Make the address the user name."""
        user.username = get_user_model().normalize_username(user.email)

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """Save the account; if another request has just made it, answer as for a known address."""
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError:
            from allauth.account.internal.flows.signup import prevent_enumeration
            from allauth.headless.base.response import AuthenticationResponse

            answer = prevent_enumeration(request, email=form.cleaned_data['email'])
            answer = AuthenticationResponse.from_response(request, answer)
            raise ImmediateHttpResponse(answer) from None

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Do nothing: `backstay.identity.passwords` counts attempts, for every way in."""

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Whether this is the password of the account whose session asks for it again."""
        is_right = bool(super().reauthenticate(user, password))
        if is_right:  # a wrong one is recorded where passwords are looked at
            record('reauthenticate', account_id=user.pk)
            self.request.session.cycle_key()
        return is_right

    def _rollback_login_failed_rl_usage(self) -> None:
        """Do nothing: allauth has counted no attempt."""

    def send_account_already_exists_mail(self, email: str) -> None:
        """Send the mail after the time that hashing the password of a new account takes."""
        make_password('')
        super().send_account_already_exists_mail(email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail; drop those that strangers cause beyond the limits, without telling them."""
        if template_prefix.endswith(_ASKED_FOR):
            here = network_of(self.request)
            if not MAILS_FROM.hit(here):
                return
        # Alike for addresses that nobody has, so that no time tells of them.
        if template_prefix.endswith(('password_reset_code', 'unknown_account')):
            account = account_called(email)
            if account is not None and not account.is_unverified:
                # For every other address allauth has looked for accounts in this way too.
                [*type(account).objects.filter(email=email)]
            mark = mac_of('reset-mark', _marked(account))
            self.request.session[_RESET_MARK] = mark
            if not RESETS.hit(email.lower()):
                return
        if template_prefix.startswith('account/email/email_confirmation'):
            template_prefix = 'identity/email/new_address'  # allauth's greets by name
        super().send_mail(template_prefix, email, context)

    def set_password(self, user: Any, password: str) -> None:
        """Save a new password; end the account's API keys with it where the request asks for it."""
        with transaction.atomic():
            super().set_password(user, password)
            if _asks_to_end_keys(self.request):
                setattr(self.request, _KEYS_ENDED, revoke_keys_of(user))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Any,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Send a notice: to the old address with what undoes the change; of what keys still do."""
        if template_prefix == 'account/email/email_changed' and context and email:
            undo = remember_change(user, email)
            site = settings.BACKSTAY.frontend_url
            context = {**context, 'undo': undo, 'page': f'{site}/account/email/undo/{undo}'}
            context['has_page'] = bool(site)
            template_prefix = 'identity/email/email_changed'
        if template_prefix in _NEW_PASSWORDS:
            left = active_keys(user).count()
            ended = getattr(self.request, _KEYS_ENDED, 0)
            context = {**(context or {}), 'keys_ended': ended, 'keys_left': left}
            template_prefix = 'identity/email/password_changed'
        super().send_notification_mail(template_prefix, user, context, email)

    def clean_password(self, password: str, user: Any = None) -> str:
        """Reject a reset whose code was mailed before the address or the password changed."""
        session = self.request.session
        is_reset = user is not None and PASSWORD_RESET_VERIFICATION_SESSION_KEY in session
        mark = session.get(_RESET_MARK, '')
        if is_reset and not is_mac_of('reset-mark', _marked(user), mark):
            raise super().validation_error('incorrect_code')
        return str(super().clean_password(password, user))

    def validation_error(self, code: str, *args: Any) -> Any:
        """Return the error for a code; raise SignInThrottled for too many attempts."""
        if code == 'too_many_login_attempts':
            raise SignInThrottled(_LONGEST_LIMIT)
        return super().validation_error(code, *args)

    def get_login_stages(self) -> list[str]:
        """Return allauth's stages, some of them replaced by ours."""
        return [stages.OURS.get(stage, stage) for stage in super().get_login_stages()]

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Raise AccountBlocked: the password was right, so this reveals nothing new."""
        with answered_as_problems():
            raise AccountBlocked

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address, as the rest of the site sees it."""
        return str(address_of(request) or '0.0.0.0')  # noqa: S104 an address that is nobody's


def _asks_to_end_keys(request: Any) -> bool:
    if not hasattr(getattr(request, 'allauth', None), 'headless'):
        return False
    return json.loads(request.body).get('keys') is True  # allauth has read it before


def _marked(account: Any) -> str:
    """Return a text that changes with the account's address and with its password."""
    return '' if account is None else f'{account.email} {account.password}'


def display_name(account: Any) -> str:
    """Return the name by which mails and answers call an account: short, no link, one line."""
    return plain_name(account.name) or str(account.get_username())


class SecondFactorAdapter(DefaultMFAAdapter):
    """Encrypts the secrets of second factors with a key of their own.

    Passkeys are for the host of the front end: its pages are where browsers use them, and the
    origin of every answer is checked against it (WebAuthn 5.1.3). Without a front end they are for
    the host that is asked.
    """

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the site under the name that authenticators know."""
        site = settings.BACKSTAY.frontend_url
        host = urlsplit(site).hostname if site else None
        host = host or allauth_context.request.get_host().partition(':')[0]
        return {'id': host, 'name': host}

    def encrypt(self, text: str) -> str:
        """Return the encrypted text, which is stored."""
        return ciphers(FACTOR_USE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the text that was encrypted."""
        return ciphers(FACTOR_USE).decrypt(encrypted_text.encode()).decode()
