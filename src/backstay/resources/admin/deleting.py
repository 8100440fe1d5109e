"""Deleting rows that many others belong to: pages that answer at once, and a task that deletes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import messages
from django.db import models, transaction
from django.http import HttpRequest

from backstay.tasks import task

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    ModelAdmin = object

#: Rows below others that a page lists and deletes itself; and rows that a step of the task deletes.
MAX_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Below:
    """Rows that go with others, or that keep them from going, by a path of foreign keys."""

    model: type[models.Model]
    #: From the model to those that are deleted, such as `revision__base_repository`.
    path: str
    goes_with_it: bool


class DeletesInSteps(ModelAdmin):
    """Mix-in of a page in the admin whose rows may have hundreds of thousands of others below them.

    Where there are more than MAX_ROWS_AT_ONCE, the page that asks tells no more than that, and a
    task deletes them in steps, from the lowest up, with the rows themselves at the end.
    """

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return the rows that go too: each of them, or a number beyond one page."""
        keys = [each.pk for each in objs]
        counts = _counts(self.model, keys)
        if max(counts.values(), default=0) <= MAX_ROWS_AT_ONCE:
            return super().get_deleted_objects(objs, request)
        told: dict[str, Any] = {str(self.opts.verbose_name_plural): len(keys)}
        kept, lacking = [], set()
        for below, count in counts.items():
            name = str(below.model._meta.verbose_name_plural)
            if not below.goes_with_it:
                kept += [name] if count else []
                continue
            pages = self.admin_site._registry.get(below.model)
            if count and pages is not None and not pages.has_delete_permission(request):
                lacking.add(str(below.model._meta.verbose_name))
            if count:
                is_more = count > MAX_ROWS_AT_ONCE
                text = f'more than {MAX_ROWS_AT_ONCE:,}' if is_more else str(count)
                told[name] = max(told.get(name, ''), text, key=len)
        rows = [str(each) for each in objs]
        return rows, told, lacking, kept

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the row, or leave it to the task."""
        if not self._leave_to_task(request, [obj.pk]):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete the rows, or leave them to the task."""
        if not self._leave_to_task(request, list(queryset.values_list('pk', flat=True))):
            super().delete_queryset(request, queryset)

    def _leave_to_task(self, request: HttpRequest, keys: Sequence[Any]) -> bool:
        counts = _counts(self.model, keys)
        if max(counts.values(), default=0) <= MAX_ROWS_AT_ONCE:
            return False
        delete_in_steps.enqueue(self.opts.label, [str(key) for key in keys])
        self.message_user(
            request,
            'A task deletes what goes with it in steps, and the row itself at the end. Until then '
            'it stays in the list.',
            messages.WARNING,
        )
        return True


def _counts(model: type[models.Model], keys: Collection[Any]) -> dict[_Below, int]:
    """Count the rows on each path, no further than one more than a page has."""
    return {
        below: _rows(below, keys)[: MAX_ROWS_AT_ONCE + 1].count()
        for below in _everything_below(model)
    }


def _rows(below: _Below, keys: Collection[Any]) -> Any:
    rows = below.model._base_manager.order_by()
    return rows.filter(**{f'{below.path}__in': keys})


@cache
def _everything_below(model: Any) -> tuple[_Below, ...]:
    """The paths to a model's rows, from the lowest up."""
    return tuple(_below(model, '', ()))


def _below(
    model: type[models.Model], path: str, seen: tuple[type[models.Model], ...]
) -> Iterator[_Below]:
    relations: Any = model._meta.get_fields(include_hidden=True)
    for relation in relations:
        if not relation.auto_created or relation.concrete or relation.many_to_many:
            continue
        child: Any = relation.related_model
        on_delete = relation.on_delete
        own = f'{relation.field.name}__{path}' if path else relation.field.name
        if on_delete in (models.PROTECT, models.RESTRICT):
            yield _Below(model=child, path=own, goes_with_it=False)
        elif on_delete is models.CASCADE:
            if child not in seen:
                yield from _below(child, own, (*seen, model))
            yield _Below(model=child, path=own, goes_with_it=True)


@task
def delete_in_steps(label: str, keys: list[str]) -> int:
    """Delete rows of a model with all that goes with them; return how many they were.

    Each step is a transaction, so that others wait for moments only, and a run that was stopped is
    taken up where it was. The rows go at the end, when little is left below them.
    """
    model: Any = apps.get_model(label)
    gone = 0
    for below in _everything_below(model):
        rows = _rows(below, keys).values_list('pk', flat=True)
        while below.goes_with_it and (step := list(rows.all()[:MAX_ROWS_AT_ONCE])):
            with transaction.atomic():
                gone += int(below.model._base_manager.filter(pk__in=step).delete()[0])
    with transaction.atomic():
        return gone + int(model._base_manager.filter(pk__in=keys).delete()[0])
