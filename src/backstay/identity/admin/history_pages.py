"""The history of the admin, and what its own pages add to it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest


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


def record_changes(request: HttpRequest, changed: Any, message: str) -> None:
    """Record the change and its author in the admin's own history."""
    author: Any = request.user
    if changed:
        LogEntry.objects.log_actions(author.pk, changed, CHANGE, change_message=message)
