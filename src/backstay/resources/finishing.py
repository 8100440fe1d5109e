"""Finishing the rows of an answer in Python: cutting long lists, and applying patches.

Rows are bytes of JSON from the database to the response. One is read by Python only where a plan
has patches, where a list was cut at its cap, or where lists may be so many that one holds more rows
than an answer may.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from backstay.engine.json_text import CUT_MARK
from backstay.resources.plan.objects import MAX_LIST_ROWS, NestedList, Patch
from backstay.resources.plan.plan import Plan

_CUT_BYTES = json.dumps(CUT_MARK).encode()
#: A JSON pointer to a list that was cut.
Pointer = str


def is_finished(plan: Plan, objects: Sequence[bytes]) -> bool:
    """Return whether the rows of an answer can be passed on as they are.

    The number of bytes bounds the number of rows: nothing has to be read to know that no list
    holds more than `MAX_LIST_ROWS`.
    """
    size = sum(map(len, objects))
    return not (
        plan.patches
        or any(size >= each.heavy_bytes for each in plan.lists)
        or any(_CUT_BYTES in each for each in objects)
    )


class Finisher:
    """Finishes the rows of one answer, one after the other."""

    def __init__(self, plan: Plan, *, rationed: bool = True) -> None:
        """A `rationed` answer has at most `MAX_LIST_ROWS` rows of each list, in all its rows.

        Behind them the list is left out of its rows: whoever sends back a part that they take for
        the whole would delete the rest, and what a body leaves out stays as it is.
        """
        self._plan = plan
        self._left = {each.path: MAX_LIST_ROWS for each in plan.lists} if rationed else {}

    def finish(self, row: bytes) -> tuple[bytes, list[Pointer]]:
        """Return the row after its lists were cut and its patches made, with the lists cut."""
        value = json.loads(row)
        cut: list[Pointer] = []
        for each in self._plan.lists:
            _visit(value, each.path, '', partial(self._cut, of=each, cut=cut))
        for patch in self._plan.patches:
            _visit(value, patch.path, '', partial(_apply, patch=patch))
        return json.dumps(value, ensure_ascii=False, separators=(',', ':')).encode(), cut

    def _cut(
        self,
        row: dict[str, Any],
        name: str,
        pointer: Pointer,
        *,
        of: NestedList,
        cut: list[Pointer],
    ) -> None:
        found = row[name]
        if found and found[-1] == CUT_MARK:
            row[name] = found[: of.cap]
            cut.append(pointer)
        if of.path not in self._left:
            return
        left = self._left[of.path] - len(row[name])
        self._left[of.path] = max(left, 0)
        if left < 0:
            del row[name]
            if pointer not in cut[-1:]:
                cut.append(pointer)


def _apply(row: dict[str, Any], name: str, _: Pointer, *, patch: Patch) -> None:
    row[name] = patch.function(row[name])


def _visit(
    value: Any,
    path: Sequence[str],
    pointer: Pointer,
    change: Callable[[dict[str, Any], str, Pointer], None],
) -> None:
    """Change what lies at `path`, in every element of lists: its row, its name, and where it is."""
    name, *rest = path
    if isinstance(value, list):
        for index, element in enumerate(value):
            _visit(element, path, f'{pointer}/{index}', change)
    elif isinstance(value, dict) and name in value:
        if rest:
            _visit(value[name], rest, f'{pointer}/{name}', change)
        else:
            change(value, name, f'{pointer}/{name}')
