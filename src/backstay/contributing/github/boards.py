"""Boards: the project that is the board, and the place of an issue on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backstay.contributing.configuration import Board
from backstay.contributing.snapshot import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The board, as the ids that writing it needs."""

    id: str
    field: str
    #: The id of each column, by its name.
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of an issue on the board."""

    project: Project
    #: The id of its item; empty while it is not on the board.
    item: str = ''
    #: The name of its column; empty for none.
    column: str = ''
    since: datetime | None = None


def project_of(data: Mapping[str, Any] | None, board: Board) -> Project | None:
    """Return the board among the projects of a repository; None when it cannot be seen."""
    nodes = ((data or {}).get('projectsV2') or {}).get('nodes') or []
    number = board.project
    wanted = (each for each in nodes if each and (not number or each['number'] == number))
    project = next(wanted, None)
    if project is None:
        return None
    for field in project['fields']['nodes']:
        if field and board.same(field.get('name', ''), board.field):
            columns = {option['name']: option['id'] for option in field['options']}
            return Project(id=project['id'], field=field['id'], columns=columns)
    return None


def place_of(data: Mapping[str, Any] | None, project: Project | None) -> Place | None:
    """Return the place of an issue from the part of an answer that has its items."""
    if project is None:
        return None
    items = ((data or {}).get('projectItems') or {}).get('nodes') or []
    item = next((each for each in items if each and each['project']['id'] == project.id), None)
    if item is None:
        return Place(project=project)
    for value in item['fieldValues']['nodes']:
        if value and (value.get('field') or {}).get('id') == project.field:
            since = datetime.fromisoformat(value['updatedAt'])
            return Place(project=project, item=item['id'], column=value['name'] or '', since=since)
    return Place(project=project, item=item['id'])


def column_id(project: Project, board: Board, status: Status) -> str | None:
    """Return the id of a column; None when the board has no such column."""
    wanted = board.column(status)
    found = [key for name, key in project.columns.items() if board.same(name, wanted)]
    return found[0] if found else None
