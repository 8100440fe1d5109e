"""The entrance of the admin: its name, and the form that signs in."""

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from drf_spectacular.settings import spectacular_settings

from backstay.identity.second_factor import kept_factor


class SignInForm(AdminAuthenticationForm):
    """The sign-in page of the admin, which also asks for the second factor."""

    code = forms.CharField(
        required=False,
        label='Code of the second factor, if the account has one',
        widget=forms.TextInput(attrs={'autocomplete': 'one-time-code', 'form': 'login-form'}),
    )

    def confirm_login_allowed(self, user: Any) -> None:
        """Reject everybody but staff, and staff without the second factor that they have."""
        super().confirm_login_allowed(user)
        if not Authenticator.objects.filter(user=user).exists():
            return
        factor = kept_factor(self.request, user) if self.request is not None else None
        if factor is None:
            raise ValidationError('Give the code of the second factor.', code='second-factor')
        factor.record_usage()


admin.site.site_header = admin.site.site_title = spectacular_settings.TITLE
admin.site.index_title = 'Everything that is stored'
admin.site.login_form = SignInForm
admin.site.login_template = 'identity/sign_in.html'
