"""API keys in the admin: made for the signed-in account, shown and revoked."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from backstay.identity.admin.history_pages import record_changes
from backstay.identity.admin.safe_pages import SafePages
from backstay.identity.keys import new_key, revoke_key, store_key
from backstay.identity.ladder import Deed, may
from backstay.identity.models import ApiKey
from backstay.identity.recent import is_recent
from backstay.resources.admin.json_input import StrictJSONField


class KeyForm(forms.ModelForm):
    """A new key for the person who fills in the form."""

    expires_at = forms.SplitDateTimeField(
        required=False, widget=AdminSplitDateTime, help_text='Without it, 30 days.'
    )
    creator: Any = None
    session: Any = None

    class Meta:
        model = ApiKey
        fields = ('name', 'level', 'expires_at', 'ip_allow')
        field_classes: ClassVar = {'ip_allow': StrictJSONField}

    def clean_ip_allow(self) -> list[str]:
        """Reject what is no list of texts; `new_key` rejects texts that are no networks."""
        given = self.cleaned_data['ip_allow']
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise ValidationError('Give a list such as ["192.0.2.0/24"], or [] for all networks.')
        return given

    def clean(self) -> dict[str, Any]:
        """Make the key, so that its errors stand beside the fields."""
        given = {name: value for name, value in self.cleaned_data.items() if name in self.fields}
        if not is_recent(self.session):
            self.add_error(None, 'Your sign-in is too old for this: sign out, and in again.')
        if not self.errors:
            try:
                self.made = new_key(self.creator, **given)
            except ValidationError as error:
                self.add_error(None, error)
        return given


@admin.register(ApiKey)
class ApiKeyAdmin(SafePages):
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
        return type('KeyForm', (form,), {'creator': request.user, 'session': request.session})

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
        live = keys.filter(revoked_at=None).select_related('creator')
        revoked = [key for key in live if may(request.user, Deed.END, key.creator)]
        for key in revoked:
            revoke_key(key)
        record_changes(request, revoked, 'Revoked.')
        self.message_user(request, f'{len(revoked)} revoked.')
