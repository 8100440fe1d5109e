"""What allauth asks a site: how accounts are made, what mails say, what is shown of an account."""

import base64
from hashlib import sha256
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.stages import EmailVerificationStage
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import force_bytes

from backstay.identity.addresses import address_of, network_of
from backstay.identity.attempts import MAILS_FROM, RESETS, is_within
from backstay.identity.problems import AccountBlocked, answered_as_problems


class SignupFields(forms.Form):
    """What a new account may tell beside its address and password."""

    name = forms.CharField(max_length=150, required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse a password that is like the rest; allauth asks before the rest is known."""
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
        """Keep it."""
        if name := self.cleaned_data.get('name', '').strip():
            user.name = name
            user.save(update_fields=['name'])


class AddressStage(EmailVerificationStage):
    """The verification of the address, of accounts that have one."""

    def handle(self) -> Any:
        """The answer that asks for it, or None, and whether sign-in goes on."""
        account: Any = self.login.user
        if account is not None and not account.email:
            return None, True
        return super().handle()  # type: ignore[no-untyped-call]


#: Mails that somebody can have sent who has not signed in.
_ASKED_FOR = (
    'email_confirmation_signup',
    'email_confirmation',
    'account_already_exists',
    'unknown_account',
    'password_reset_code',
)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are called by their address; whether one exists, no answer and no time tells."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Unless the site says otherwise, or cannot send the mail that it takes."""
        environment = settings.BACKSTAY
        return bool(environment.sign_up and (environment.email_url or not environment.is_deployed))

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """People are called by their address."""
        user.username = get_user_model().normalize_username(user.email)

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """The saved account; if another request has just made it, the answer of a known address."""
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
        """Attempts are counted by `backstay.identity.passwords`, for every way in."""

    def _rollback_login_failed_rl_usage(self) -> None:
        """There is nothing to take back."""

    def send_account_already_exists_mail(self, email: str) -> None:
        """Take as long as making an account does, whose password is hashed."""
        make_password('')
        super().send_account_already_exists_mail(email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail that strangers ask for is not sent beyond the limits; they are not told."""
        if template_prefix.endswith(_ASKED_FOR):
            here = network_of(self.request)
            if not is_within(MAILS_FROM, here):
                return
        if 'password_reset_code' in template_prefix and not is_within(RESETS, email.lower()):
            return
        super().send_mail(template_prefix, email, context)

    def get_login_stages(self) -> list[str]:
        """allauth's, of which one asks bots for an address that they do not have."""
        ours = f'{__name__}.AddressStage'
        theirs = 'allauth.account.stages.EmailVerificationStage'
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """The password was right, so that this tells nobody anything new."""
        with answered_as_problems():
            raise AccountBlocked

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everywhere else on the site."""
        return str(address_of(request) or '0.0.0.0')  # noqa: S104 an address that is nobody's


def display_name(account: Any) -> str:
    """What mails and answers call an account."""
    return str(account.name or account.get_username())


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are stored encrypted, with a key made of SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        """What is stored."""
        return _ciphers().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What was meant."""
        return _ciphers().decrypt(encrypted_text.encode()).decode()


def _ciphers() -> MultiFernet:
    """The newest key first: those of SECRET_KEY_FALLBACKS only read."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str | bytes) -> bytes:
    purpose = b'backstay.identity.second-factor'
    return base64.urlsafe_b64encode(sha256(purpose + force_bytes(key)).digest())
