"""Merging modules by their statements, where git sees only lines that touch.

A template that takes a class out, and a person who wrote another one behind it, are no conflict:
what went goes, and what was written stays. Anything but such removals is left to people.
"""

import ast

_LONGEST_LINE = 100


class _MoreToDecideError(Exception):
    """The two sides have done more than removing and adding."""


def without_removed(base: str, ours: str, theirs: str) -> str | None:
    """Return `ours` without what `theirs` has removed from `base`; None where more is to decide.

    Statements go, members of tuples, and imported names that nothing uses any longer.

    >>> base = 'from a import x, y\\n\\n\\ndef f():\\n    x()\\n'
    >>> print(without_removed(base, base + '\\n\\ndef g():\\n    y()\\n', '\\n'), end='')
    from a import y
    <BLANKLINE>
    <BLANKLINE>
    def g():
        y()
    """
    try:
        before, after = ast.parse(base).body, ast.parse(theirs).body
        source = _cut(ours, _statements_gone(before, after, ours))
        return _cut(source, _imports_gone(before, after, source))
    except (SyntaxError, _MoreToDecideError):
        return None


def _statements_gone(
    before: list[ast.stmt], after: list[ast.stmt], ours: str
) -> list[tuple[int, int, bytes]]:
    """Return the cuts in `ours` for statements, and members of tuples, that are gone."""
    old, new, mine = (_by_name(body) for body in (before, after, ast.parse(ours).body))
    if new.keys() - old.keys():
        raise _MoreToDecideError
    cuts = []
    for name, node in old.items():
        have = mine.get(name)
        if name not in new and have is not None:
            if ast.dump(have) != ast.dump(node):  # a person has changed what goes
                raise _MoreToDecideError
            cuts.append(_whole_lines(ours, have))
        elif name in new and ast.dump(node) != ast.dump(new[name]):
            cuts += _members_gone(ours, _members(node), _members(new[name]), _members(have))
    return cuts


def _members_gone(
    ours: str, old: list[ast.expr], new: list[ast.expr], mine: list[ast.expr]
) -> list[tuple[int, int, bytes]]:
    kept = {ast.dump(each) for each in new}
    gone = {ast.dump(each) for each in old} - kept
    if kept - {ast.dump(each) for each in old} or gone - {ast.dump(each) for each in mine}:
        raise _MoreToDecideError
    at = [(_offset(ours, *_start(each)), _offset(ours, *_end(each))) for each in mine]
    cuts = []
    for number, (start, end) in enumerate(at):
        if ast.dump(mine[number]) not in gone:
            continue
        following = at[number + 1][0] if number + 1 < len(at) else None
        if following is not None:
            cuts.append((start, following, b''))
        else:
            cuts.append((at[number - 1][1] if number else start, end, b''))
    if len(cuts) == len(mine):
        raise _MoreToDecideError  # an empty tuple is written in another way
    return cuts


def _imports_gone(
    before: list[ast.stmt], after: list[ast.stmt], source: str
) -> list[tuple[int, int, bytes]]:
    """Return the cuts for names that are no longer imported by the template and used by nobody."""
    old, new = _imported(before), _imported(after)
    if new - old:
        raise _MoreToDecideError
    tree = ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    cuts = []
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [
            each
            for each in node.names
            if (_module(node), each.name) not in old - new or (each.asname or each.name) in used
        ]
        if not names:
            cuts.append(_whole_lines(source, node))
        elif len(names) < len(node.names):
            start, end = _offset(source, *_start(node)), _offset(source, *_end(node))
            cuts.append((start, end, _import_of(node, names).encode()))
    return cuts


def _import_of(node: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> str:
    words = [ast.unparse(each) for each in names]
    if isinstance(node, ast.Import):
        return f'import {", ".join(words)}'
    line = f'from {"." * node.level}{node.module or ""} import {", ".join(words)}'
    if len(line) <= _LONGEST_LINE:
        return line
    listed = ''.join(f'    {word},\n' for word in words)
    return f'from {"." * node.level}{node.module or ""} import (\n{listed})'


def _by_name(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Return the statements but imports: by the name that they define, or else by what they say."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom():
                continue
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found[name] = node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = node
            case _:
                found[ast.dump(node)] = node
    return found


def _members(node: ast.stmt | None) -> list[ast.expr]:
    value = getattr(node, 'value', None)
    if not isinstance(value, ast.Tuple | ast.List):
        raise _MoreToDecideError
    return value.elts


def _imported(body: list[ast.stmt]) -> set[tuple[str, str]]:
    nodes = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {(_module(node), each.name) for node in nodes for each in node.names}


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return '' if isinstance(node, ast.Import) else f'{"." * node.level}{node.module or ""}'


def _whole_lines(source: str, node: ast.stmt) -> tuple[int, int, bytes]:
    """Return the cut of a statement with its line, and the empty lines before it."""
    lines = source.splitlines(keepends=True)
    first = min([node.lineno, *(each.lineno for each in getattr(node, 'decorator_list', ()))]) - 1
    while first and not lines[first - 1].strip():
        first -= 1
    last = node.end_lineno or node.lineno
    return _offset(source, first + 1, 0), _offset(source, last + 1, 0), b''


def _start(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.end_lineno or 0, node.end_col_offset or 0


def _offset(source: str, line: int, column: int) -> int:
    """Return the place in bytes, in which syntax trees count columns."""
    lines = source.splitlines(keepends=True)
    return len(''.join(lines[: line - 1]).encode()) + column


def _cut(source: str, cuts: list[tuple[int, int, bytes]]) -> str:
    """Put other text, mostly none, in the place of each cut."""
    whole = source.encode()
    for start, end, text in sorted(cuts, reverse=True):
        whole = whole[:start] + text + whole[end:]
    return whole.decode()
