"""Accounts in the admin: Django's own pages, on which the ladder decides field by field."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from backstay.identity.admin.history_pages import record_changes
from backstay.identity.admin.safe_pages import SafePages
from backstay.identity.attempts import unlock
from backstay.identity.ladder import Deed, may
from backstay.identity.models import Account, AccountStatus
from backstay.identity.traces import record_rights

#: What a change of each field is.
_ACTS: Mapping[str, Deed] = {
    'username': Deed.ADDRESS,
    'email': Deed.ADDRESS,
    'name': Deed.NAME,
    'status': Deed.STATUS,
    'level': Deed.LEVEL,
    'is_staff': Deed.FLAGS,
    'is_superuser': Deed.FLAGS,
    'groups': Deed.FLAGS,
    'user_permissions': Deed.FLAGS,
}


class NewAccountForm(AdminUserCreationForm):
    """Django's form; the person who fills it in vouches for the e-mail address."""

    class Meta:
        model = Account
        fields = ('username',)

    def clean_username(self) -> Any:
        """Return the one spelling of the name; what is wrong with it stands beside the field."""
        name = Account.normalize_username(self.cleaned_data['username'])
        others = Account.objects.filter(email=name) if '@' in name else Account.objects.none()
        if others.exists() or Account.objects.filter(username=name).exists():
            raise self.instance.unique_error_message(Account, ['username'])
        return name


class AccountForm(UserChangeForm):
    """Django's form, bounded by the level of the person who fills it in."""

    actor: Any = None

    def clean_username(self) -> str:
        """Return the one spelling of the name."""
        return str(Account.normalize_username(self.cleaned_data['username']))

    def clean_level(self) -> int:
        """Reject a level above that of the person who gives it."""
        level = int(self.cleaned_data['level'])
        if not may(self.actor, Deed.LEVEL, self.instance, level=level):
            raise ValidationError('Nobody gives a level above their own.')
        return level


@admin.register(Account)
class AccountAdmin(SafePages, UserAdmin):
    """Django's own pages, for our fields."""

    form = AccountForm
    add_form = NewAccountForm
    list_display = ('username', 'name', 'status', 'level', 'is_staff', 'last_login', 'created_at')
    list_filter = ('status', 'level', 'is_staff', 'is_superuser', 'created_at')
    search_fields = ('username', 'name', 'email')
    search_help_text = 'By user name, name or e-mail address'
    ordering = ('username',)
    readonly_fields: ClassVar = ('created_at', 'last_login')
    actions = ('block', 'unblock', 'unlock')
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

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what the signed-in account may not change of this one."""
        fixed = [name for name, act in _ACTS.items() if obj and not may(request.user, act, obj)]
        return (*self.readonly_fields, *fixed)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        """Return the form, with the signed-in account as the one that fills it in."""
        form: type[forms.ModelForm] = super().get_form(request, obj, change=change, **kwargs)
        return type('AccountForm', (form,), {'actor': request.user})

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it for accounts below the signed-in one, and for its own name."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may(request.user, Deed.NAME, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it for accounts below the signed-in one."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or may(request.user, Deed.DELETE, obj))

    def user_change_password(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        """Set the password of an account; one's own is changed where the old one is asked for."""
        account = self.get_object(request, unquote((*args, *kwargs.values())[0]))
        if account is not None and account.pk == request.user.pk:
            return HttpResponseRedirect(reverse('admin:password_change'))
        if account is not None and not may(request.user, Deed.CREDENTIAL, account):
            raise PermissionDenied
        return super().user_change_password(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the account; the person who gives it an address vouches for it."""
        super().save_model(request, obj, form, change)
        if not change or 'email' in form.changed_data:
            obj.emailaddress_set.all().delete()
            obj.vouch_for_email()

    @admin.action(description='Block the selected accounts', permissions=('change',))
    def block(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        """Block accounts from their next request on."""
        self._set_status(request, accounts, AccountStatus.BLOCKED)

    @admin.action(description='Unblock the selected accounts', permissions=('change',))
    def unblock(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        """Let blocked accounts sign in again; closed ones stay closed."""
        blocked = accounts.filter(status=AccountStatus.BLOCKED)
        self._set_status(request, blocked, AccountStatus.ACTIVE)

    @admin.action(description='Unlock the selected accounts', permissions=('change',))
    def unlock(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        """Let accounts sign in again that too many wrong passwords have locked."""
        opened = [each for each in accounts if may(request.user, Deed.STATUS, each)]
        for each in opened:
            unlock(each)
        record_changes(request, opened, 'Unlocked.')
        self.message_user(request, f'{len(opened)} unlocked.')

    def _set_status(self, request: HttpRequest, accounts: QuerySet, status: AccountStatus) -> None:
        changed = [each for each in accounts if may(request.user, Deed.STATUS, each)]
        accounts.model._default_manager.filter(pk__in=[each.pk for each in changed]).update(
            status=status
        )
        for each in changed:
            record_rights(each.pk, {'status': each.status}, {'status': status.value})
        record_changes(request, changed, f'Status: {status.label}.')
        self.message_user(request, f'{len(changed)} changed.')
