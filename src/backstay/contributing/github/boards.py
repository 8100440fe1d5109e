"""Boards: which project is the board, where an issue stands on it, and how it is moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backstay.contributing.configuration import Board
from backstay.contributing.snapshot import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The board, by the ids with which it is written."""

    id: str
    field: str
    #: The id of each column, by its name.
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an issue stands on the board."""

    project: Project
    #: The id of its item; empty while it is not on the board.
    item: str = ''
    #: The name of its column; empty for none.
    column: str = ''
    since: datetime | None = None


def project_of(data: Mapping[str, Any] | None, board: Board) -> Project | None:
    """The board among the projects of a repository; None when it cannot be seen or is not there."""
    nodes = ((data or {}).get('projectsV2') or {}).get('nodes') or []
    for project in nodes:
        if project and (not board.project or project['number'] == board.project):
            return _project(project, board)
    return None


def place_of(data: Mapping[str, Any] | None, project: Project | None) -> Place | None:
    """Where an issue stands, of the part of an answer that has its items."""
    if project is None:
        return None
    for item in ((data or {}).get('projectItems') or {}).get('nodes') or []:
        if item and item['project']['id'] == project.id:
            return _place(item, project)
    return Place(project=project)


def column_id(project: Project, board: Board, status: Status) -> str | None:
    """The id of a column; None when the board has no such one."""
    wanted = board.column(status)
    found = [key for name, key in project.columns.items() if board.same(name, wanted)]
    return found[0] if found else None


def _project(data: Mapping[str, Any], board: Board) -> Project | None:
    for field in data['fields']['nodes']:
        if field and board.same(field.get('name', ''), board.field):
            columns = {option['name']: option['id'] for option in field['options']}
            return Project(id=data['id'], field=field['id'], columns=columns)
    return None


def _place(item: Mapping[str, Any], project: Project) -> Place:
    for value in item['fieldValues']['nodes']:
        if value and (value.get('field') or {}).get('id') == project.field:
            since = datetime.fromisoformat(value['updatedAt'])
            return Place(project=project, item=item['id'], column=value['name'] or '', since=since)
    return Place(project=project, item=item['id'])
