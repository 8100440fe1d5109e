"""System checks of every declared resource: a mistake stops the start, with a text that helps.

Rules that a text cites by number stand in `docs/reference/rules.md`.
"""

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import EmptyResultSet, FieldError, ValidationError
from django.db import connections, models
from django.db.models import Case, F, Value, When

from backstay.engine import engine_of
from backstay.events.declaration import EVERY, registered
from backstay.events.told_types import types_told
from backstay.resources.declaration.conditions import reach_of
from backstay.resources.declaration.fields import Array, Computed, InPython, Many, Url
from backstay.resources.declaration.grants import ALL
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.errors import DeclarationError, MaskError
from backstay.resources.plan import rights
from backstay.resources.plan.values import computed, json_value
from backstay.resources.query.mask import parse
from backstay.resources.query.parameters import TAKEN
from backstay.resources.write.checks import check_writes
from backstay.resources.write.deletion import resource_of
from backstay.resources.write.members import columns_of, parent_links
from backstay.resources.write.uniqueness import unique_sets


def check_resources(**_: Any) -> list[CheckMessage]:
    """Return every mistake of every resource; they are known once the site's routes are."""
    if root := getattr(settings, 'ROOT_URLCONF', ''):
        import_module(root)
    found = [message for resource in resources() for message in _check(resource)]
    return [*found, *_check_subscribers(), *_check_migrations()]


def _check(resource: type[Resource]) -> Iterator[CheckMessage]:
    try:
        resource.fields()
        for relation in resource.relations().values():
            _ = relation.target
        resource.hops()
    except DeclarationError as error:
        yield _error(resource, 'E001', str(error))
        return
    for check in _CHECKS:
        yield from check(resource)


def _error(resource: type[Resource], number: str, text: str, hint: str = '') -> Error:
    name = f'{resource.__module__}.{resource.__qualname__}'
    return Error(text, hint=hint or None, obj=name, id=f'backstay.{number}')


def _check_names(resource: type[Resource]) -> Iterator[Error]:
    fields, options = resource.fields(), resource.options
    for option in ('filterable', 'orderable'):
        for name in getattr(resource.Meta, option, ()):
            if name not in fields:
                yield _error(resource, 'E002', f'Meta.{option} names `{name}`, which is no field.')
    for name in options.ordering:
        if name.lstrip('-') not in {*fields, 'pk'}:
            yield _error(resource, 'E003', f'Meta.ordering names `{name}`, which is no field.')
    yield from _check_revealed(resource)
    if options.lookup not in fields:
        yield _error(resource, 'E004', f'Meta.lookup is `{options.lookup}`, which is no field.')
    elif not _names_one_row(resource, fields[options.lookup]):
        yield _error(
            resource,
            'E007',
            f'Meta.lookup is `{options.lookup}`, which may be the same on two rows.',
            'Make the column unique, or look rows up by one that is.',
        )
    if not 1 <= options.page_size <= options.max_page_size:
        yield _error(resource, 'E005', 'Meta.page_size must lie between 1 and max_page_size.')
    for name in {*fields} & {*resource.relations(), *resource.hops()}:
        yield _error(resource, 'E006', f'`{name}` is both a field and a relation.')


def _check_revealed(resource: type[Resource]) -> Iterator[Error]:
    """Find options that would have the database compare what Python alone can read."""
    fields, options = resource.fields(), resource.options
    able = {name for name, field in fields.items() if field.filterable}
    named = {
        'filterable': set(getattr(resource.Meta, 'filterable', ())) - able,
        'orderable': set(getattr(resource.Meta, 'orderable', ())),
        'ordering': {name.lstrip('-') for name in options.ordering},
        'natural_key': set(options.natural_key),
        'lookup': {options.lookup},
        'tenant': {options.tenant},
    }
    for option, names in named.items():
        for name in sorted(names & fields.keys()):
            if fields[name].kind.reveal is not None:
                yield _error(
                    resource,
                    'E008',
                    f'Meta.{option} names `{name}`, which is encrypted: only Python can read it.',
                )


def _names_one_row(resource: type[Resource], field: Field) -> bool:
    """Whether no two rows have the same value in this field, those that are deleted included.

    Who may restore deleted rows finds them at the same address.
    """
    model = resource.options.model
    computing: Any = getattr(field.declared, 'expression', None)
    is_alias = type(computing) is F  # a column by another name
    attname = computing.name if is_alias else field.attname
    column = model._meta.pk if attname == 'pk' else columns_of(model).get(attname)
    if column is None:
        return False
    always = (each.attributes for each in unique_sets(model) if each.condition is None)
    return column.primary_key or (column.attname,) in always


def _check_grants(resource: type[Resource]) -> Iterator[Error]:
    """Find resources that nobody may read, and grants of names that do not exist."""
    if not resource.grants:
        yield _error(
            resource,
            'E040',
            f'{resource.__name__} grants nothing to anybody.',
            'Declare grants; to open it to all: grants = (Grant(anyone, read=ALL),).',
        )
    names = {*resource.fields(), *resource.relations()}
    for grant in resource.grants:
        for verb in ('read', 'write', 'create'):
            granted = getattr(grant, verb)
            for name in () if granted is ALL else granted:
                if name not in names:
                    yield _error(
                        resource, 'E041', f'A grant to {verb} names `{name}`, which is not there.'
                    )


#: Errors and warnings of Django where a condition cannot be written as SQL.
_UNWRITABLE = (DeclarationError, FieldError, ValidationError, ValueError, TypeError, RuntimeWarning)


def _check_conditions(resource: type[Resource]) -> Iterator[Error]:
    """Resolve and compile the rows of every grant, on the engine that the site runs on."""
    for position, grant in enumerate(resource.grants, 1):
        for option, conditions in (('rows', grant.covers), ('check', grant.leaves_behind)):
            if option == 'check' and grant.check is None:
                continue
            readable = Readable(resource)
            try:
                covered = rights.cover_rows(readable, conditions(resource.options.model))
                if not isinstance(covered, bool):
                    # Compiled where rows are chosen, and where their objects are.
                    chosen = Case(When(covered, then=Value(1)), default=Value(0))
                    _compile_rows(rights.rows_of(readable, covered).annotate(chosen_=chosen))
            except EmptyResultSet:
                text = f'`{option}` of grant {position} covers no row, whatever it holds.'
                yield _error(resource, 'E042', text)
            except _UNWRITABLE as error:
                text = f'`{option}` of grant {position} cannot be: {error}'
                yield _error(resource, 'E042', text)


def _compile_rows(rows: models.QuerySet[models.Model]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('error', RuntimeWarning)  # such as of a moment without a zone
        rows.query.get_compiler('default').as_sql()


def _check_computed(resource: type[Resource]) -> Iterator[Error]:
    """Find computed values that are no value of one row, or cannot be compiled."""
    model = resource.options.model
    for field in resource.fields().values():
        if not isinstance(field.declared, Computed):
            continue
        try:
            if reach_of([field.declared.expression], model, field.name).many:
                yield _error(
                    resource,
                    'E024',
                    f'`{field.name}` is computed over a path to many rows, which would list its '
                    f'row once for each.',
                    'Ask for one of them with a Subquery over OuterRef("pk").',
                )
                continue
            rows = rights.rows_of(Readable(resource), True)
            _compile_rows(rows.values_list(json_value(computed(field), field)))
        except _UNWRITABLE as error:
            yield _error(resource, 'E025', f'`{field.name}` cannot be computed: {error}')


def _check_parameters(resource: type[Resource]) -> Iterator[checks.Warning]:
    """Find fields with the name of a parameter of lists, which need other spellings."""
    for name, field in resource.fields().items():
        if name in TAKEN and field.filterable:
            yield checks.Warning(
                f'The field `{name}` is called as a parameter of lists, which goes first.',
                hint=f'Clients compare it as `{name}__exact=…`, or by '
                f'`filter=[{{"field": "{name}", …}}]`. Give it another name to make it plain.',
                obj=f'{resource.__module__}.{resource.__qualname__}',
                id='backstay.W007',
            )


def _check_inheritance(resource: type[Resource]) -> Iterator[Error]:
    """Find grants on a child model that do not fit its parents, whose rows it shares."""
    child = resource.options.model
    links = {name: link for link in parent_links(child) for name in (link.name, link.attname)}
    for grant in resource.grants:
        for verb in ('write', 'create'):
            names = getattr(grant, verb)
            for name in () if names is ALL else links.keys() & {*names}:
                yield _error(
                    resource,
                    'E043',
                    f'A grant to {verb} names `{name}`, which is the part of the row that stands '
                    f'in {links[name].related_model.__name__}.',
                    f'A new {child.__name__} comes with a new row there: leave the name out.',
                )
    if not any(grant.delete for grant in resource.grants):
        return
    for parent in child._meta.all_parents:
        stands_for = resource_of(parent)
        if stands_for and not any(grant.delete for grant in stands_for.grants):
            yield _error(
                resource,
                'E044',
                f'A grant lets rows be deleted, and with them their part in {parent.__name__}, '
                f'which no grant of {stands_for.__name__} lets anybody delete.',
                f'Let {stands_for.__name__} grant it to the same callers.',
            )


def _check_subscribers() -> Iterator[Error]:
    """Find functions that listen to events which never happen."""
    known = types_told(resources())
    names = sorted({each.partition('.')[0] for each in known})
    for path, (_, types) in registered.items():
        for wanted in sorted(types - {EVERY, *known}):
            name = wanted.partition('.')[0]
            there = [each for each in known if each.startswith(f'{name}.')] or names
            yield Error(
                f'@on({wanted!r}) listens to what no resource tells.',
                hint=f'There are: {", ".join(there)}. Meta.verbs names the verbs of a service.',
                obj=path,
                id='backstay.E052',
            )


def _check_migrations() -> Iterator[Error]:
    """Find resources without migrations, whose tables would never be made.

    `makemigrations` is how one mends that, and must not be stopped by it.
    """
    if sys.argv[1:2] == ['makemigrations']:
        return
    modules = getattr(settings, 'MIGRATION_MODULES', {})
    labels = dict.fromkeys(each.options.model._meta.app_label for each in resources())
    for label in labels:
        config = apps.app_configs.get(label)
        if config is None or label in modules:
            continue
        if find_spec(f'{config.name}.migrations') is None:
            yield Error(
                f'The app {label} has models with resources and no package `migrations`.',
                hint=f'Make the folder, then: manage.py makemigrations {label}.',
                obj=config.name,
                id='backstay.E053',
            )


def _check_default_mask(resource: type[Resource]) -> Iterator[Error]:
    """Reject default masks that show a list, a parent, or what lies below a relation (rule M7)."""
    if not resource.options.default_mask:
        return
    try:
        mask = parse(resource.options.default_mask)
    except MaskError as error:
        yield _error(resource, 'E010', f'Meta.default_mask cannot be read: {error.detail}')
        return
    relations = resource.relations()
    for name, below in mask.entries:
        if name not in resource.fields() and name not in relations:
            yield _error(resource, 'E011', f'Meta.default_mask names `{name}`, which is not there.')
        elif name in relations and not relations[name].is_shown:
            yield _error(
                resource,
                'E017',
                f'Meta.default_mask shows the parent `{name}`; show its id (rule M9).',
            )
        elif name in relations and relations[name].many:
            yield _error(
                resource,
                'E012',
                f'Meta.default_mask shows the list `{name}`.',
                'Lists come only when a client asks for them (rule M7).',
            )
        elif below is not None:
            yield _error(
                resource, 'E013', f'Meta.default_mask goes into `{name}`.', 'Name it only.'
            )


def _check_recursion(resource: type[Resource]) -> Iterator[Error]:
    """Reject relations whose path leads back to where it came from (rule M10)."""
    for path in _cycles(resource, ()):
        yield _error(
            resource,
            'E014',
            f'The relations {" -> ".join(path)} lead back to {resource.__name__}.',
            'A child shows the id of its parent, not the parent (rule M9).',
        )
    for relation in _shown(resource):
        for back in _shown(relation.target):
            if _is_inverse(resource, relation, back):
                yield _error(
                    resource,
                    'E015',
                    f'`{relation.name}` leads to {relation.target.__name__}, whose `{back.name}` '
                    f'leads back.',
                    'A child shows the id of its parent, not the parent (rules M9 and M10).',
                )


def _shown(resource: type[Resource]) -> list[Relation]:
    return [relation for relation in resource.relations().values() if relation.is_shown]


def _cycles(
    start: type[Resource], path: tuple[str, ...], at: type[Resource] | None = None
) -> Iterator[tuple[str, ...]]:
    for relation in _shown(at or start):
        step = (*path, relation.name)
        if relation.target is start:
            yield step
        elif len(step) < 9:  # masks go no deeper
            yield from _cycles(start, step, relation.target)


def _is_inverse(resource: type[Resource], there: Relation, back: Relation) -> bool:
    """Return whether two relations run over the same column or table, in opposite directions."""
    if back.target.options.model is not resource.options.model:
        return False
    if there.many_to_many:
        return back.many_to_many and back.source == there.back
    return (back.back, back.local) == (there.local, there.back)


def _check_parent_ids(resource: type[Resource]) -> Iterator[Error]:
    """Reject children that do not show the id of their parent (rule M9)."""
    for relation in resource.relations().values():
        if not relation.many or relation.many_to_many:
            continue
        target = relation.target
        default = target.options.default_mask
        shown = dict(parse(default).entries) if default else target.fields()
        attnames = {field.attname for name, field in target.fields().items() if name in shown}
        if relation.back not in attnames:
            yield _error(
                target,
                'E016',
                f'{target.__name__} is a child of {resource.__name__} and does not show '
                f'`{relation.back}` by default.',
                'Add it to Meta.fields and to Meta.default_mask (rule M9).',
            )


def _check_declared(resource: type[Resource]) -> Iterator[Error]:
    fields = resource.fields()
    for name, declared in resource.declared.items():
        if isinstance(declared, InPython):
            unknown = [need for need in declared.needs if need not in fields]
            if unknown:
                yield _error(resource, 'E020', f'`{name}` needs {unknown}, which are no fields.')
        elif isinstance(declared, Url):
            yield from _check_url(resource, name, declared)
        elif isinstance(declared, Array):
            field = fields[name].model_field
            if not isinstance(field, models.JSONField) and not _is_array(field):
                yield _error(
                    resource, 'E022', f'`{name}` is an Array over a field that holds none.'
                )
        elif isinstance(declared, Many) and declared.cap < 1:
            yield _error(resource, 'E023', f'The cap of `{name}` must be at least 1.')


def _check_url(resource: type[Resource], name: str, declared: Url) -> Iterator[Error]:
    fields = resource.fields()
    for part in re.findall(r'\{(\w+)\}', declared.path):
        field = fields.get(part)
        safe = field and (
            field.kind.is_safe_in_url or isinstance(field.model_field, models.SlugField)
        )
        if not safe:
            yield _error(
                resource,
                'E021',
                f'The URL `{name}` is made of `{part}`, which is not an integer, UUID or slug.',
            )


def _is_array(field: models.Field) -> bool:
    return field.get_internal_type() == 'ArrayField'


def _check_audit(resource: type[Resource]) -> Iterator[Error]:
    if resource.options.audited_reads and not apps.is_installed('backstay.audit'):
        yield _error(
            resource,
            'E045',
            'Meta.audited_reads asks for the audit, and its tables are not there.',
            "Add 'backstay.audit' to INSTALLED_APPS.",
        )


def _check_engine(resource: type[Resource]) -> Iterator[Error]:
    if engine_of(connections['default']).has_arrays:
        return
    for field in resource.fields().values():
        if _is_array(field.model_field):
            yield _error(
                resource,
                'E030',
                f'`{field.name}` is a PostgreSQL array, and the database is SQLite.',
                'Use a JSONField, declared as Array().',
            )


_CHECKS: tuple[Callable[[type[Resource]], Iterator[CheckMessage]], ...] = (
    _check_names,
    _check_grants,
    _check_conditions,
    _check_computed,
    _check_parameters,
    _check_inheritance,
    _check_default_mask,
    _check_recursion,
    _check_parent_ids,
    _check_declared,
    _check_audit,
    _check_engine,
    check_writes,
)
