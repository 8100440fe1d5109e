"""Edits of a module's source: an import, a definition at its end, a member of a tuple, a line.

Sources in, sources out. ruff then breaks long lines and sorts the imports.
"""

import ast


class NoPlaceError(Exception):
    """The module lacks the place for an edit; the text names it."""


def names_of(source: str) -> set[str]:
    """Return the names at the top of the module: imports, classes, functions and variables."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {(each.asname or each.name).partition('.')[0] for each in names}
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found.add(name)
            case _:
                found |= _assigned(node)
    return found


def with_import(source: str, module: str, *names: str) -> str:
    """Import those of the names that the module lacks.

    >>> print(with_import('import os\\n', 'pathlib', 'Path'), end='')
    import os
    from pathlib import Path
    """
    missing = sorted({*names} - names_of(source))
    if not missing:
        return source
    line = f'from {module} import {", ".join(missing)}\n'
    body = ast.parse(source).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    if imports:
        return _after(source, imports[-1], line)
    if body and ast.get_docstring(ast.parse(source)) is not None:
        return _after(source, body[0], f'\n{line}')
    return f'{line}\n{source}'


def with_definition(source: str, definition: str) -> str:
    """Add two empty lines and the definition at the end."""
    return f'{source.rstrip()}\n\n\n{definition}'


def with_call(source: str, variable: str, line: str) -> str:
    """Add a line after the last statement that calls a method of the variable or assigns it.

    >>> print(with_call('r = R()\\nr.add(1)\\nurls = r.urls\\n', 'r', 'r.add(2)'), end='')
    r = R()
    r.add(1)
    r.add(2)
    urls = r.urls
    """
    places = [node for node in ast.parse(source).body if _is_about(node, variable)]
    if not places:
        raise NoPlaceError(f'nothing is called {variable}')
    return _after(source, places[-1], f'{line}\n')


def with_member(source: str, variable: str, member: str) -> str:
    """Add a last member to the tuple or list that is assigned to the variable.

    >>> print(with_member('ALL = (1,)\\n', 'ALL', '2'), end='')
    ALL = (1, 2,)
    """
    for node in ast.parse(source).body:
        value = getattr(node, 'value', None)
        if variable in _assigned(node) and isinstance(value, ast.Tuple | ast.List):
            if value.elts:
                return _insert(source, *_end(value.elts[-1]), f', {member}')
            line, column = _end(value)
            return _insert(source, line, column - 1, f'{member},')
    raise NoPlaceError(f'no tuple is called {variable}')


def _assigned(node: ast.stmt) -> set[str]:
    targets = getattr(node, 'targets', None) or [getattr(node, 'target', None)]
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _is_about(node: ast.stmt, variable: str) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name == variable
    return variable in _assigned(node)


def _after(source: str, node: ast.stmt, text: str) -> str:
    lines = source.splitlines(keepends=True)
    at = node.end_lineno or 0
    return ''.join([*lines[:at], text, *lines[at:]])


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or 0, node.end_col_offset or 0


def _insert(source: str, line: int, column: int, text: str) -> str:
    """Insert the text at a column, which syntax trees count in bytes."""
    lines = [each.encode() for each in source.splitlines(keepends=True)]
    before = lines[line - 1]
    lines[line - 1] = before[:column] + text.encode() + before[column:]
    return b''.join(lines).decode()
