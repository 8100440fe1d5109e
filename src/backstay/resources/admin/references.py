"""References in the admin: shown by key, and chosen among the rows that the account may see."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.contrib.admin.widgets import ForeignKeyRawIdWidget
from django.db import models
from django.db.models import Q
from django.forms import ModelChoiceField
from django.http import HttpRequest

from backstay.resources.admin.shown import labels, visible_rows
from backstay.resources.declaration.shape import Relation


class KeyInput(ForeignKeyRawIdWidget):
    """Takes a key; says beside it what the row is called that it belongs to."""

    #: By the key as text.
    labels: Mapping[str, str] = {}

    def label_and_url_for_value(self, value: Any) -> tuple[str, str]:
        """The label; no link, which Django would make from the row itself."""
        return self.labels.get(str(value), ''), ''


class KeyColumn:
    """Shows a reference in lists, and where it may not be changed."""

    def __init__(self, column: 'models.Field[Any, Any]') -> None:
        self.column = column
        self.__name__ = column.name
        self.short_description = str(column.verbose_name)
        # By the key: by the column's name Django would order as the other model does.
        self.admin_order_field = column.attname

    def __call__(self, row: Any) -> Any:
        """The label where there is one, or the key."""
        key = getattr(row, self.column.attname)
        return labels_of(row).get(self.column.attname, key)


@lru_cache(maxsize=1_024)
def key_column(column: 'models.Field[Any, Any]') -> KeyColumn:
    """The same one for a column each time, as Django compares what is listed."""
    return KeyColumn(column)


def labels_of(row: models.Model) -> dict[str, str]:
    """What the rows are called that a row points at, by the attribute that does."""
    return row.__dict__.setdefault('_labels', {})  # type: ignore[no-any-return]


def label_rows(
    request: HttpRequest, relations: Mapping[str, Relation], rows: list[models.Model]
) -> None:
    """Find out what the rows point at: a statement for each reference, whatever the rows."""
    for attribute, relation in relations.items():
        found = labels(request, relation, [getattr(row, attribute) for row in rows])
        for row in rows:
            if (label := found.get(getattr(row, attribute))) is not None:
                labels_of(row)[attribute] = label


def limit_choices(
    request: HttpRequest, field: ModelChoiceField, relation: Relation, row: models.Model | None
) -> None:
    """Let a form take what the account may see, and leave what stands there.

    What is not there and what is not the account's are refused alike.
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
