"""A page in the admin for every resource's model that has none of its own.

Who may open it, Django's permissions say. Which rows it shows, which of their fields, and what may
be written, the resource's grants say for the account that is signed in. A field is there when the
account may read it on every row that it sees. Writes go the way of the API's
(`backstay.resources.write`), so that rules, versions and the journal hold for them too.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.apps import apps as django_apps
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property

from backstay.caller import Caller, Facts
from backstay.errors import Problem
from backstay.identity.callers import caller_of
from backstay.resources.declaration.fields import Array
from backstay.resources.declaration.kinds import Kind
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.resource import Field, Resource, resources
from backstay.resources.engine.slots import bind
from backstay.resources.plan import rights
from backstay.resources.query.mask import parse
from backstay.resources.write.change import Batch, Change
from backstay.resources.write.granting import Right, all_members, may
from backstay.resources.write.members import columns_of
from backstay.resources.write.perform import perform

#: Values that are too long for a column of a list.
_LONG = frozenset({Kind.LONG_TEXT, Kind.JSON, Kind.ARRAY, Kind.BINARY})
_FILTERED = frozenset({Kind.CHOICE, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME})
_MOST_COLUMNS = 8


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

    def get_queryset(self, request: HttpRequest) -> Any:
        """The rows that the account may see."""
        rows = super().get_queryset(request)
        readable = Readable(self.resource, caller_of(request).standing())
        if rights.visible(readable) is True:
            return rows
        keys = rights.rows(readable).values('pk').query.get_compiler(rows.db)
        sql, parameters = keys.as_sql()
        facts = Facts(caller_of(request), _origin(request))
        return rows.filter(pk__in=RawSQL(sql, bind(parameters, (), facts)))  # noqa: S611 our own SQL, with parameters

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns of the default mask that the account may read."""
        return self._readable(request, self.list_display) or ('pk',)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """The short texts that the account may read."""
        return self._readable(request, self.search_fields)

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The choices, switches and dates that the account may read."""
        return self._readable(request, self.list_filter)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse to filter by what the account may not read: the answer would tell it."""
        column = lookup.partition('__')[0]
        readable = self._readable(request, _columns(self.resource))
        return column in {'pk', *readable} and super().lookup_allowed(lookup, value, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the account may read of a row, or give to a new one."""
        if obj is not None:
            return self._readable(request, _columns(self.resource))
        writable = self._writable(request, None)
        return [name for name in _columns(self.resource) if name in writable]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What of these the account may not write."""
        writable = self._writable(request, obj)
        return [name for name in self.get_fields(request, obj) if name not in writable]

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
            if _column(self.resource, field).name in (form.changed_data if change else form.fields)
        }
        if change:
            self._write(request, [Change(asked='update', key=_key(obj), body=body)])
        else:
            (row,) = self._write(request, [Change(asked='create', body=body, meaning='create')])
            obj.__dict__.update(row.__dict__)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the row. Raises Problem."""
        self._write(request, [Change(asked='delete', key=_key(obj))])

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete the rows, or none of them. Raises Problem."""
        changes = [
            Change(asked='delete', key=_key(obj), index=index, pointer=f'/{index}')
            for index, obj in enumerate(queryset)
        ]
        self._write(request, changes, many=True)

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
        self, request: HttpRequest, changes: list[Change], *, many: bool = False
    ) -> list[Any]:
        batch = Batch(
            resource=self.resource,
            caller=caller_of(request),
            changes=changes,
            many=many,
            origin=_origin(request),
        )
        return perform(batch, atomic=True, then=_rows)

    def _may(self, request: HttpRequest, right: Right) -> bool:
        return may(self.resource, caller_of(request).standing(writing=True), right)

    def _readable(self, request: HttpRequest, names: Any) -> list[str]:
        """Those of the columns that every grant shows which may decide about a row."""
        grants = Readable(self.resource, caller_of(request).standing()).grants
        columns = _columns(self.resource)
        return [
            name
            for name in names
            if name in columns and all(grant.reads(columns[name].name) for grant in grants)
        ]

    def _writable(self, request: HttpRequest, obj: Any) -> set[str]:
        members = self._members(request, obj)
        return {_column(self.resource, field).name for _, field in members}

    def _members(self, request: HttpRequest, obj: Any) -> list[tuple[str, Field]]:
        """What bodies may have of the account, for a new row or for one that there is."""
        caller: Caller = caller_of(request)
        right: Right = 'create' if obj is None else 'write'
        given = all_members(self.resource, caller.standing(writing=True), right)
        columns = _columns(self.resource).values()
        return [(field.name, field) for field in columns if field.name in given]


def _origin(request: HttpRequest) -> str:
    return f'{request.scheme}://{request.get_host()}'


def _rows(batch: Batch) -> list[Any]:
    return [change.row for change in batch.changes]


def _key(obj: models.Model) -> dict[str, Any]:
    return {obj._meta.pk.attname: obj.pk}


def _columns(resource: type[Resource]) -> Mapping[str, Field]:
    """The resource's fields that are columns, by the name that the model has for them."""
    return _columns_of(Readable(resource))


@lru_cache(maxsize=1_024)
def _columns_of(readable: Readable) -> dict[str, Field]:
    resource = readable.resource
    return {
        _column(resource, field).name: field
        for field in resource.fields().values()
        if field.attname and (field.declared is None or isinstance(field.declared, Array))
    }


def _column(resource: type[Resource], field: Field) -> 'models.Field[Any, Any]':
    """The column itself; of a reference the foreign key, not what it points at."""
    return columns_of(resource.options.model)[field.attname]


def admin_of(resource: type[Resource]) -> type[ResourceAdmin]:
    """The pages that a resource's model has unless its service has made some."""
    columns = _columns(resource)
    references = [name for name in columns if _column(resource, columns[name]).is_relation]
    listed = [*_listed(resource)][:_MOST_COLUMNS]
    searched = [name for name, field in columns.items() if field.kind is Kind.TEXT]
    texts = ', '.join(name.replace('_', ' ') for name in searched if name not in references)
    members: dict[str, Any] = {
        'resource': resource,
        'list_display': tuple(listed) or ('pk',),
        'list_filter': [name for name, field in columns.items() if field.kind in _FILTERED],
        'list_select_related': [name for name in listed if name in references] or False,
        'search_fields': [name for name in searched if name not in references],
        'search_help_text': f'By {texts}' if texts else None,
        'raw_id_fields': references,
        'ordering': [*_ordering(resource)],
    }
    return type(f'{resource.__name__}Admin', (ResourceAdmin,), members)


def _listed(resource: type[Resource]) -> Iterator[str]:
    """The columns of the default mask, or all, that fit into a list."""
    mask = resource.options.default_mask
    names = {name for name, _ in parse(mask).entries} if mask else {*resource.fields()}
    for name, field in _columns(resource).items():
        if field.name in names and field.kind not in _LONG:
            yield name


def _ordering(resource: type[Resource]) -> Iterator[str]:
    attributes = {field.attname for field in _columns(resource).values()}
    for name in resource.options.ordering:
        if name.lstrip('-') in {'pk', *attributes}:
            yield name


def register_resources(
    site: admin.AdminSite = admin.site, apps: Collection[str] | None = None
) -> None:
    """Give every resource's model a page, unless it has one: the first resource that is written.

    With `apps`, only the models of the apps with these names. The resources must be known:
    `backstay.urls.site_urls` calls this behind the services' routes.
    """
    by_model: dict[type[models.Model], list[type[Resource]]] = {}
    for resource in resources():
        model = resource.options.model
        app = django_apps.get_app_config(model._meta.app_label).name
        if apps is None or app in apps:
            by_model.setdefault(model, []).append(resource)
    for model, found in by_model.items():
        if not site.is_registered(model):
            site.register(model, admin_of(max(found, key=_is_written)))


def _is_written(resource: type[Resource]) -> bool:
    return any(grant.write or grant.create or grant.delete for grant in resource.grants)
