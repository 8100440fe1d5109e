"""References in the admin: shown by key, and chosen among the rows that the account may see."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.contrib.admin.widgets import ForeignKeyRawIdWidget
from django.db import models
from django.db.models import Q
from django.forms import ModelChoiceField
from django.http import HttpRequest

from backstay.identity.callers import caller_of
from backstay.resources.admin.shown import labels, visible_rows
from backstay.resources.audited_reads import record_pages
from backstay.resources.declaration.shape import Relation


class KeyInput(ForeignKeyRawIdWidget):
    """An input for a key, with the label of its row beside it."""

    #: By the key as text.
    labels: Mapping[str, str] = {}

    def label_and_url_for_value(self, value: Any) -> tuple[str, str]:
        """Return the label, without the link that Django would make from the row itself."""
        return self.labels.get(str(value), ''), ''


class KeyColumn:
    """A column that shows a reference in lists, and in forms that may not change it."""

    def __init__(self, column: 'models.Field[Any, Any]') -> None:
        self.column = column
        self.__name__ = column.name
        self.short_description = str(column.verbose_name)
        # By the key: by the column's name Django would order as the other model does.
        self.admin_order_field = column.attname

    def __call__(self, row: Any) -> Any:
        """Return the label, or the key if there is none."""
        key = getattr(row, self.column.attname)
        return labels_of(row).get(self.column.attname, key)


@lru_cache(maxsize=1_024)
def key_column(column: 'models.Field[Any, Any]') -> KeyColumn:
    """Return the same object for a column each time, since Django compares listed columns."""
    return KeyColumn(column)


def labels_of(row: models.Model) -> dict[str, str]:
    """Return the labels of the rows that a row refers to, by the attribute that refers."""
    return row.__dict__.setdefault('_labels', {})  # type: ignore[no-any-return]


def label_rows(
    request: HttpRequest, relations: Mapping[str, Relation], rows: list[models.Model]
) -> None:
    """Look up the labels of referenced rows, with one statement for each reference."""
    for attribute, relation in relations.items():
        found = labels(request, relation, [getattr(row, attribute) for row in rows])
        record_pages(caller_of(request), relation.target, found)
        for row in rows:
            if (label := found.get(getattr(row, attribute))) is not None:
                labels_of(row)[attribute] = label


def limit_choices(
    request: HttpRequest, field: ModelChoiceField, relation: Relation, row: models.Model | None
) -> None:
    """Let a form take rows that the account may see, and keep the current one.

    Missing rows and rows that the account may not see are refused in the same way.
    """
    rows = relation.target.options.model._base_manager.all()
    choices = visible_rows(request, relation.target, rows)
    if row is not None and choices is not rows:
        current = getattr(row, relation.local)
        choices = rows.filter(Q(pk__in=choices.values('pk')) | Q(**{relation.back: current}))
    field.queryset = choices
    widget: Any = getattr(field.widget, 'widget', field.widget)
    if row is not None and isinstance(widget, KeyInput):
        label = labels_of(row).get(relation.local)
        widget.labels = {str(getattr(row, relation.local)): label} if label else {}
