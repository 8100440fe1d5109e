"""Groups, which give permissions to accounts: for superusers to change."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from backstay.identity.admin.safe_pages import SafePages
from backstay.identity.ladder import Deed, may

admin.site.unregister(Group)


@admin.register(Group)
class PermissionGroupAdmin(SafePages, GroupAdmin):
    """Django's own pages; whoever changes a group changes what its accounts may do."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow it to those who may open the admin to others."""
        return super().has_add_permission(request) and may(request.user, Deed.FLAGS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it to those who may open the admin to others."""
        return super().has_change_permission(request, obj) and may(request.user, Deed.FLAGS)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it to those who may open the admin to others."""
        return super().has_delete_permission(request, obj) and may(request.user, Deed.FLAGS)
