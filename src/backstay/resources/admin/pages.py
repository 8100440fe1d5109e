"""A page in the admin for every resource's model that has none of its own.

Who may open it, Django's permissions say. Which rows it shows, which of their fields, and what may
be written, the resource's grants say for the account that is signed in. A field is there when the
account may read it on every row that it sees. Writes go the way of the API's
(`backstay.resources.write`), so that rules, versions and the journal hold for them too.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models, transaction
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from backstay.caller import Caller
from backstay.errors import Problem
from backstay.identity.callers import caller_of
from backstay.resources.admin.json_input import StrictJSONField
from backstay.resources.admin.references import (
    KeyColumn,
    KeyInput,
    key_column,
    label_rows,
    limit_choices,
)
from backstay.resources.admin.shown import (
    RowsByKey,
    by_key,
    column_of,
    columns,
    origin_of,
    shown_columns,
    visible_rows,
)
from backstay.resources.audited_reads import record_pages
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field
from backstay.resources.query.asked import Asked
from backstay.resources.write.change import Change, Intent
from backstay.resources.write.granting import Right, all_members, may
from backstay.resources.write.members import references
from backstay.resources.write.perform import write


class ShortPaginator(Paginator):
    """Counts no further than 10 000 rows: what lies behind them is searched for, not leafed to."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        """How many rows there are, or 10 000."""
        rows: Any = self.object_list
        return int(rows[: self.most].count())


class ResourceAdmin(admin.ModelAdmin):
    """Pages of one resource's model."""

    resource: type[Resource]
    paginator = ShortPaginator
    show_full_result_count = False
    formfield_overrides: ClassVar = {
        models.URLField: {'assume_scheme': 'https'},  # as of Django 6
        models.JSONField: {'form_class': StrictJSONField},
    }

    def get_queryset(self, request: HttpRequest) -> Any:
        """The rows that the account may see."""
        rows = super().get_queryset(request)
        rows._iterable_class = RowsByKey
        return visible_rows(request, self.resource, rows)

    def get_changelist(self, *_: Any, **__: Any) -> type[ChangeList]:
        """A list that knows what its rows point at."""
        return LabelledList

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """A row that the account may see, or None."""
        row = super().get_object(request, *args, **kwargs)
        if row is not None:
            self.label(request, [row], self.get_fields(request, row))
            record_pages(caller_of(request), self.resource, [row.pk])
        return row

    def label(self, request: HttpRequest, rows: list[Any], shown: Iterable[Any]) -> None:
        """Find out what the rows are called that these columns point at."""
        names = {each.__name__ if isinstance(each, KeyColumn) else each for each in shown}
        relations = {
            attribute: relation
            for attribute, relation in references(self.resource).items()
            if column_of(self.resource, attribute).name in names
        }
        label_rows(request, relations, rows)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns of the default mask that the account may read."""
        shown = self._readable(request, self.list_display)
        return [self._by_key(name) for name in shown] or ('pk',)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """The short texts that the account may read."""
        return self._readable(request, self.search_fields)

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The choices, switches and dates that the account may read."""
        return self._readable(request, self.list_filter)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse to filter by what the account may not read: the answer would tell it."""
        column = lookup.partition('__')[0]
        readable = shown_columns(request, self.resource)
        return column in {'pk', *readable} and super().lookup_allowed(lookup, value, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the account may read of a row, or give to a new one."""
        writable = self._writable(request, obj)
        if obj is None:
            return [name for name in columns(self.resource) if name in writable]
        shown = shown_columns(request, self.resource)
        return [name if name in writable else self._by_key(name) for name in shown]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """What of these the account may not write."""
        writable = self._writable(request, obj)
        return [name for name in self.get_fields(request, obj) if name not in writable]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A reference is given by its key."""
        kwargs['widget'] = KeyInput(db_field.remote_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        """A form whose references may be what the account may see."""
        form = super().get_form(request, obj, *args, **kwargs)
        for attribute, relation in references(self.resource).items():
            field = form.base_fields.get(column_of(self.resource, attribute).name)
            if isinstance(field, ModelChoiceField):
                limit_choices(request, field, relation, obj)
        return form

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With Django's permission, and a grant to read."""
        seen = Readable(self.resource, caller_of(request).standing()).fields
        return bool(seen) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """With Django's permission, and a grant to create."""
        return self._may(request, 'create') and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With Django's permission, and a grant to write."""
        return self._may(request, 'write') and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With Django's permission, and a grant to delete."""
        return self._may(request, 'delete') and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what the form has. Raises Problem."""
        body = {
            name: getattr(obj, field.attname)
            for name, field in self._members(request, obj if change else None)
            if column_of(self.resource, field.attname).name
            in (form.changed_data if change else form.fields)
        }
        if change:
            self._write(request, [Intent(verb='update', key=_key(obj), body=body)])
        else:
            intent = Intent(verb='create', body=body, meaning='create')
            (written,) = self._write(request, [intent])
            obj.__dict__.update(vars(written.row))

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """The row with what the form has, not written yet."""
        return by_key(super().save_form(request, form, change))

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """What the history says: the names of what was changed, of what no reader lacks."""
        told = [
            name
            for name in form.changed_data
            if all(grant.reads(columns(self.resource)[name].name) for grant in self.resource.grants)
        ]
        if add or len(told) == len(form.changed_data):
            return super().construct_change_message(request, form, formsets, add)
        return 'Changed.'

    def get_deleted_objects(self, objs: Iterable[Any], _: HttpRequest) -> Any:
        """The rows themselves: what goes with them may not be the account's to know."""
        rows = [str(row) for row in objs]
        return rows, {self.opts.verbose_name_plural: len(rows)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the row. Raises Problem."""
        self._write(request, [Intent(verb='delete', key=_key(obj))])

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete the rows, or none of them. Raises Problem."""
        intents = [
            Intent(verb='delete', key=_key(obj), index=index, pointer=f'/{index}')
            for index, obj in enumerate(queryset)
        ]
        self._write(request, intents, many=True)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page of a row; what is refused is told on it."""
        return self._told(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page that asks before it deletes; what is refused is told on it."""
        return self._told(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The list, with its actions; what is refused is told on it."""
        return self._told(request, super().changelist_view, *args, **kwargs)

    def _told(
        self, request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if request.method != 'POST':
            return view(request, *args, **kwargs)  # type: ignore[no-any-return]
        try:
            with transaction.atomic():
                return view(request, *args, **kwargs)  # type: ignore[no-any-return]
        except Problem as problem:
            details = [f'{fault.pointer} {fault.detail}' for fault in problem.errors]
            for detail in details or [problem.detail]:
                self.message_user(request, detail.strip(), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def _write(
        self, request: HttpRequest, intents: list[Intent], *, many: bool = False
    ) -> Sequence[Change]:
        asked = Asked(resource=self.resource, caller=caller_of(request), origin=origin_of(request))
        return write(asked, intents, many=many).changes

    def _may(self, request: HttpRequest, right: Right) -> bool:
        return may(self.resource, caller_of(request).standing(writing=True), right)

    def _readable(self, request: HttpRequest, names: Iterable[Any]) -> list[str]:
        """Those of the columns that the account may read."""
        shown = shown_columns(request, self.resource)
        return [name for name in names if name in shown]

    def _by_key(self, name: str) -> str | KeyColumn:
        """A column; a reference as its key."""
        column = column_of(self.resource, columns(self.resource)[name].attname)
        return key_column(column) if column.is_relation else name

    def _writable(self, request: HttpRequest, obj: Any) -> set[str]:
        members = self._members(request, obj)
        return {column_of(self.resource, field.attname).name for _, field in members}

    def _members(self, request: HttpRequest, obj: Any) -> list[tuple[str, Field]]:
        """What bodies may have of the account, for a new row or for one that there is."""
        caller: Caller = caller_of(request)
        right: Right = 'create' if obj is None else 'write'
        given = all_members(self.resource, caller.standing(writing=True), right)
        every = columns(self.resource).values()
        return [(field.name, field) for field in every if field.name in given]


def _key(obj: models.Model) -> dict[str, Any]:
    return {obj._meta.pk.attname: obj.pk}


class LabelledList(ChangeList):
    """A page of the list, with what its rows point at."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page; then, for each reference that it shows, what that points at."""
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        pages: Any = self.model_admin
        pages.label(request, self.result_list, self.list_display)
        shown = [row.pk for row in self.result_list]
        record_pages(caller_of(request), pages.resource, shown)
