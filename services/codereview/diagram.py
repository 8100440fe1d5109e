"""A diagram of models, as text that Mermaid draws.

https://mermaid.js.org/syntax/entityRelationshipDiagram.html
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import ForeignKey, Model


def diagram(models: Iterable[type[Model]]) -> str:
    """Each model with its columns, then how they point at each other."""
    shown = [*models]
    lines = ['erDiagram', *(line for model in shown for line in _columns(model))]
    lines += [line for model in shown for line in _relations(model, shown)]
    return '\n'.join(lines) + '\n'


def _columns(model: type[Model]) -> Iterator[str]:
    yield f'    {model.__name__} {{'
    for field in _fields(model):
        marks = [mark for mark, is_so in _marks(model, field) if is_so]
        null = ' "or null"' if field.null else ''
        yield f'        {" ".join([_type(field), field.attname, ",".join(marks)]).rstrip()}{null}'
    yield '    }'


def _relations(model: type[Model], shown: list[type[Model]]) -> Iterator[str]:
    for field in _fields(model):
        if isinstance(field, ForeignKey) and field.related_model in shown:
            one = '|o' if field.null else '||'
            target: Any = field.related_model
            yield f'    {target.__name__} {one}--o{{ {model.__name__} : {field.name}'


def _fields(model: type[Model]) -> list[Any]:
    """Those that have a column: a key of several columns has none of its own."""
    return [field for field in model._meta.concrete_fields if field.column]


def _marks(model: type[Model], field: Any) -> Iterator[tuple[str, bool]]:
    unique = {
        constraint.fields
        for constraint in model._meta.total_unique_constraints
        if len(constraint.fields) == 1
    }
    yield 'PK', field in model._meta.pk_fields
    yield 'FK', isinstance(field, ForeignKey)
    yield 'UK', not field.primary_key and (field.unique or (field.name,) in unique)


def _type(field: Any) -> str:
    """What Django calls the type of the column, with the length of texts."""
    if isinstance(field, ForeignKey):
        return _type(field.target_field).replace('Auto', 'Integer')
    name: str = field.get_internal_type().removesuffix('Field')
    return f'{name}({field.max_length})' if field.max_length and name != 'UUID' else name
