"""Accounts, API keys and second factors in the admin. Nothing secret is on any of its pages."""

from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from drf_spectacular.settings import spectacular_settings

from backstay.identity.keys import new_key, revoke_key, store_key
from backstay.identity.models import Account, AccountStatus, ApiKey
from backstay.identity.second_factor import kept_factor
from backstay.resources.admin.json_input import StrictJSONField


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


class NewAccountForm(AdminUserCreationForm):
    """Django's form; the person who fills it in vouches for the e-mail address."""

    class Meta:
        model = Account
        fields = ('username',)


@admin.register(Account)
class AccountAdmin(UserAdmin):
    """Django's own pages, for our fields."""

    add_form = NewAccountForm
    list_display = ('username', 'name', 'status', 'level', 'is_staff', 'last_login', 'created_at')
    list_filter = ('status', 'level', 'is_staff', 'is_superuser', 'created_at')
    search_fields = ('username', 'name', 'email')
    search_help_text = 'By user name, name or e-mail address'
    ordering = ('username',)
    readonly_fields = ('created_at', 'last_login')
    actions = ('block', 'unblock')
    fieldsets = (
        (None, {'fields': ('username', 'password', 'email', 'name')}),
        (
            'Rights',
            {
                'fields': (
                    'status',
                    'level',
                    'is_staff',
                    'is_superuser',
                    'groups',
                    'user_permissions',
                )
            },
        ),
        ('Dates', {'fields': ('created_at', 'last_login')}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the account; the address of a new one counts as verified."""
        super().save_model(request, obj, form, change)
        if not change:
            obj.vouch_for_email()

    @admin.action(description='Block the selected accounts', permissions=('change',))
    def block(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        """Block accounts from their next request on, except the signed-in one."""
        self._set_status(request, accounts.exclude(pk=_own_key(request)), AccountStatus.BLOCKED)

    @admin.action(description='Unblock the selected accounts', permissions=('change',))
    def unblock(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        """Let blocked accounts sign in again; closed ones stay closed."""
        self._set_status(
            request, accounts.filter(status=AccountStatus.BLOCKED), AccountStatus.ACTIVE
        )

    def _set_status(self, request: HttpRequest, accounts: QuerySet, status: AccountStatus) -> None:
        changed = list(accounts)
        accounts.model._default_manager.filter(pk__in=[each.pk for each in changed]).update(
            status=status
        )
        _record(request, changed, f'Status: {status.label}.')
        self.message_user(request, f'{len(changed)} changed.')


class KeyForm(forms.ModelForm):
    """A new key for the person who fills in the form."""

    expires_at = forms.SplitDateTimeField(
        required=False, widget=AdminSplitDateTime, help_text='Without it, 180 days.'
    )
    creator: Any = None

    class Meta:
        model = ApiKey
        fields = ('name', 'level', 'expires_at', 'ip_allow')
        field_classes: ClassVar = {'ip_allow': StrictJSONField}

    def clean(self) -> dict[str, Any]:
        """Make the key, so that its errors stand beside the fields."""
        given = {name: value for name, value in self.cleaned_data.items() if name in self.fields}
        if not self.errors:
            try:
                self.made = new_key(self.creator, **given)
            except ValidationError as error:
                self.add_error(None, error)
        return given


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """Makes keys for the signed-in account, shows and revokes them; they never change."""

    form = KeyForm
    list_display = (
        'name',
        'prefix',
        'creator',
        'level',
        'expires_at',
        'last_used_at',
        'revoked_at',
    )
    list_filter = ('level', 'revoked_at', 'expires_at')
    list_select_related = ('creator',)
    search_fields = ('name', 'prefix', 'creator__username')
    search_help_text = 'By name, prefix or user name of the creator'
    actions = ('revoke',)
    fields = (
        'name',
        'prefix',
        'creator',
        'level',
        'scopes',
        'ip_allow',
        'created_at',
        'expires_at',
        'last_used_at',
        'revoked_at',
    )
    readonly_fields = fields

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of a new key, or those that an old one shows."""
        return self.fields if obj else self.form.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all fields for an old key, which cannot be edited."""
        return self.fields if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form, with the signed-in account as the creator."""
        form = super().get_form(request, obj, change, **kwargs)
        return type('KeyForm', (form,), {'creator': request.user})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the key that the form has made."""
        key, _ = form.made
        store_key(key)
        obj.__dict__.update(key.__dict__)
        obj.shown = form.made[1]

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Return the page that shows the key, once and nowhere else."""
        context = {**self.admin_site.each_context(request), 'title': 'API key', 'key': obj.shown}
        page = TemplateResponse(request, 'identity/new_key.html', context)
        page.headers['Cache-Control'] = 'no-store'
        return page

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow the action only: the rights of a key are fixed when it is made."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid it: revoked keys stay, so that logs can be read."""
        return False

    @admin.action(description='Revoke the selected keys', permissions=('change',))
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        """Revoke the keys; they are rejected from the next request on."""
        revoked = list(keys.filter(revoked_at=None))
        for key in revoked:
            revoke_key(key)
        _record(request, revoked, 'Revoked.')
        self.message_user(request, f'{len(revoked)} revoked.')


admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class SecondFactorAdmin(admin.ModelAdmin):
    """The second factors of accounts; their secrets are never shown."""

    list_display = ('user', 'type', 'created_at', 'last_used_at')
    list_filter = ('type', 'created_at', 'last_used_at')
    list_select_related = ('user',)
    search_fields = ('user__username',)
    fields = ('user', 'type', 'created_at', 'last_used_at')
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid it: the owner of the device adds it."""
        return False


@admin.register(LogEntry)
class HistoryAdmin(admin.ModelAdmin):
    """The history of all changes in the admin, which cannot be edited."""

    list_display = ('action_time', 'user', 'action_flag', 'content_type', 'object_repr')
    list_filter = ('action_flag', 'action_time')
    list_select_related = ('user', 'content_type')
    search_fields = ('user__username', 'object_repr', 'object_id')
    search_help_text = 'By user name, or by name or key of what was changed'
    show_full_result_count = False
    fields = (*list_display, 'object_id', 'message')
    readonly_fields = fields

    @admin.display(description='What')
    def message(self, entry: LogEntry) -> str:
        """Return the change in words."""
        return entry.get_change_message()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid it: the admin adds the entries itself."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid it: entries never change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid it: entries are never deleted."""
        return False


def _record(request: HttpRequest, changed: Any, message: str) -> None:
    """Record the change and its author in the admin's own history."""
    if changed:
        LogEntry.objects.log_actions(_own_key(request), changed, CHANGE, change_message=message)


def _own_key(request: HttpRequest) -> Any:
    """Return the primary key of the signed-in account."""
    return request.user.pk
