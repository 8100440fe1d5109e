"""The stages of allauth between password and session: the address and the second factor."""

from typing import Any

from allauth.account.stages import EmailVerificationStage
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.stages import AuthenticateStage

from backstay.identity.second_factor import kept_factor


class AddressStage(EmailVerificationStage):
    """The verification of the address, for accounts that have one."""

    def handle(self) -> Any:
        """Return the answer that asks for it, or None, and whether sign-in goes on."""
        account: Any = self.login.user
        if account is not None and not account.email:
            return None, True
        return super().handle()  # type: ignore[no-untyped-call]


class SecondFactorStage(AuthenticateStage):
    """The second factor, unless its code came with the password."""

    def handle(self) -> Any:
        """Return the answer that asks for it, or None, and whether sign-in goes on."""
        account: Any = self.login.user
        factor = account and kept_factor(self.request, account)
        if factor:
            post_authentication(self.request, factor)
            return None, True
        return super().handle()


#: Ours in place of allauth's.
OURS = {
    'allauth.account.stages.EmailVerificationStage': f'{__name__}.AddressStage',
    'allauth.mfa.stages.AuthenticateStage': f'{__name__}.SecondFactorStage',
}
