"""The lending library as plain dictionaries: what must come of each write, said once more.

Every method that is called as a verb of the API raises `Refusal`, or gives a function that changes
the dictionaries as the write must change the rows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lending.models import Note

NORTH, SOUTH = 'north', 'south'
#: What each caller holds over each branch.
LEVELS: dict[str, dict[str, int]] = {
    'guest': {},
    'stranger': {},
    'reader': {NORTH: 1},
    'helper': {NORTH: 2},
    'manager': {NORTH: 3},
    'owner': {NORTH: 3, SOUTH: 3},
}
#: Members that helpers may change, and give a new row.
HELPERS_MEMBERS = {'title', 'price', 'pages', 'details', 'status', 'notes'}
HELPERS_NEW = {'branch_id', 'code', 'title', 'price', 'notes'}


@dataclass
class Row:
    """An item as the model has it."""

    branch: str
    code: str
    values: dict[str, Any]
    version: int = 1
    is_deleted: bool = False
    #: Text and position by key.
    notes: dict[int, tuple[str, int]] = field(default_factory=dict)


@dataclass
class Refusal(Exception):
    """What is answered instead of a write, and how late that is found out.

    0: before the key of the request is looked at; 1: before anything is written; 2: two rows would
    be the same; 3: the database says no; 4: the row would lie where the caller may not write.
    """

    status: int
    phase: int = 1


DEFAULTS: Mapping[str, Any] = {
    'title': None,
    'status': 'draft',
    'price': None,
    'pages': 0,
    'details': None,
    'cost': None,
    'secret': '',
}
EVERYTHING = {*DEFAULTS, 'branch_id', 'code', 'notes'}


@dataclass(frozen=True)
class Asked:
    """One operation of a bulk request about items."""

    op: str
    #: The key of its row, or its code where that is how it is named.
    number: int
    code: str
    body: dict[str, Any]
    match: str


@dataclass
class Library:
    """Items with their notes, and stamps."""

    #: Keys by name.
    branches: dict[str, int]
    items: dict[int, Row] = field(default_factory=dict)
    stamps: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Entries that the journal must have.
    entries: int = 0

    def item(self, word: str, asked: 'Asked') -> Any:
        """One operation of a bulk request about items."""
        match asked.op:
            case 'create':
                return self.create(word, {'code': asked.code, **asked.body})
            case 'upsert':
                return self.upsert(word, asked.code, asked.body, asked.match)
            case 'update':
                return self.update(word, asked.number, asked.body, asked.match)
        return self.delete(word, asked.number, asked.match)

    def _level(self, word: str, branch: str) -> int:
        return LEVELS[word].get(branch, 0)

    def _sees(self, word: str, row: Row) -> bool:
        return row.values['status'] == 'open' or self._level(word, row.branch) >= 1

    def _stranger(self, word: str, level: int) -> None:
        """Refuse who has the right over no row at all."""
        if word == 'guest':
            raise Refusal(401, 0)
        if highest(word) < level:
            raise Refusal(403, 0)

    def _found(self, word: str, number: int, *, deleted: bool = False) -> Row:
        row = self.items.get(number)
        if row is None or row.is_deleted is not deleted or not self._sees(word, row):
            raise Refusal(404)
        if deleted and self._level(word, row.branch) < 3:
            raise Refusal(404)  # who may not restore it does not see that it was there
        return row

    def _match(self, row: Row, match: str) -> None:
        if match in ('stale', 'future'):
            raise Refusal(412)

    def _faults(self, body: Mapping[str, Any], allowed: set[str]) -> None:
        if not body.keys() <= allowed or body.get('title') == 'forbidden':
            raise Refusal(422)

    def create(self, word: str, body: Mapping[str, Any]) -> Any:
        self._stranger(word, 2)
        branch = next(name for name, key in self.branches.items() if key == body['branch_id'])
        is_helper = highest(word) < 3
        self._faults(body, HELPERS_NEW if is_helper else EVERYTHING)
        if 'title' not in body or not self._level(word, branch):
            raise Refusal(422)
        if any(row.code == body['code'] for row in self.items.values()):
            raise Refusal(409, 2)
        if body.get('price') == '-1.00':
            raise Refusal(422, 3)

        def do(key: int) -> None:
            given = {name: body[name] for name in DEFAULTS if name in body}
            values = {**DEFAULTS, **given, 'title': _capital(body['title'])}
            self.items[key] = Row(branch, body['code'], values)
            self._take_notes(self.items[key], key, body)
            self.entries += 1

        return do

    def update(
        self,
        word: str,
        number: int,
        body: Mapping[str, Any],
        match: str,
        *,
        replace: bool = False,
    ) -> Any:
        self._stranger(word, 2)
        row = self._found(word, number)
        level = self._level(word, row.branch)
        if level < 2 or (level == 2 and row.values['status'] != 'draft'):
            raise Refusal(403)
        self._match(row, match)
        allowed = EVERYTHING if level == 3 else HELPERS_MEMBERS
        if replace and not {'title', 'code', 'branch_id'} & allowed <= body.keys():
            raise Refusal(422)
        branch = {key: name for name, key in self.branches.items()}[
            body.get('branch_id', self.branches[row.branch])
        ]
        if replace:
            full = {name: value for name, value in DEFAULTS.items() if name in allowed}
            body = {**{n: v for n, v in full.items() if n != 'title'}, **body}
        self._faults(body, allowed)
        if 'branch_id' in body and branch != row.branch and not self._level(word, branch):
            raise Refusal(422)
        code = body.get('code', row.code)
        if any(other.code == code for other in self.items.values() if other is not row):
            raise Refusal(409, 2)
        if body.get('price') == '-1.00':
            raise Refusal(422, 3)
        new = {name: body[name] for name in DEFAULTS if name in body}
        if 'details' in new and not replace:
            new['details'] = _merged(row.values['details'], new['details'])
        status = new.get('status', row.values['status'])
        if level == 2 and status == 'lost':
            raise Refusal(403, 4)
        changed = {name for name, value in new.items() if value != row.values[name]}

        def do(_key: int) -> None:
            own_kept = not changed and code == row.code and branch == row.branch
            if own_kept and not self._changes_notes(row, body):
                return
            # The title is made capital in a hook, after it was found to be another.
            for name in changed:
                row.values[name] = _capital(new[name]) if name == 'title' else new[name]
            row.code, row.branch = code, branch
            row.version += 1
            self.entries += 1
            self._take_notes(row, number, body)

        return do

    def delete(self, word: str, number: int, match: str) -> Any:
        self._stranger(word, 3)
        row = self._found(word, number)
        if self._level(word, row.branch) < 3:
            raise Refusal(403)
        self._match(row, match)
        return lambda _key: self._turn(row, is_deleted=True)

    def restore(self, word: str, number: int, match: str) -> Any:
        self._stranger(word, 3)
        row = self._found(word, number, deleted=True)
        self._match(row, match)
        return lambda _key: self._turn(row, is_deleted=False)

    def _turn(self, row: Row, *, is_deleted: bool) -> None:
        row.is_deleted = is_deleted
        row.version += 1
        self.entries += 1

    def upsert(self, word: str, code: str, body: Mapping[str, Any], match: str) -> Any:
        for number, row in self.items.items():
            if row.code == code and not row.is_deleted and self._sees(word, row):
                return self.update(word, number, body, match)
        return self.create(word, {'code': code, **body})

    def stamp(self, word: str, operation: Mapping[str, Any], gone: Collection[str] = ()) -> Any:
        """One operation of a bulk request about stamps, which also deletes those of `gone`."""
        if word == 'guest':
            raise Refusal(401, 0)
        op = operation['op']
        code = operation.get('id') or operation.get('key') or operation['body']['code']
        if op == 'delete':
            if code not in self.stamps:
                raise Refusal(404)
            return lambda _key: self._remove_stamp(code)
        if op == 'create' and code in self.stamps and code not in gone:
            raise Refusal(409, 2)

        def do(_key: Any) -> None:
            row = {'label': 'L', 'amount': operation['body']['amount']}
            if self.stamps.get(code) != row:
                self.stamps[code] = row
                self.entries += 1

        return do

    def _remove_stamp(self, code: str) -> None:
        del self.stamps[code]
        self.entries += 1

    def _changes_notes(self, row: Row, body: Mapping[str, Any]) -> bool:
        """Whether the children of a body are others than the row has."""
        if 'notes' not in body:
            return False
        kept = [each for each in body['notes'] if 'id' in each]
        is_whole = len(kept) == len(body['notes']) == len(row.notes)
        return not is_whole or any(
            each.get('text', row.notes[each['id']][0]) != row.notes[each['id']][0] for each in kept
        )

    def _take_notes(self, row: Row, number: int, body: Mapping[str, Any]) -> None:
        """Let the row have the children of a body; the database says which keys new ones have."""
        if 'notes' not in body:
            return
        kept = {each['id']: each for each in body['notes'] if 'id' in each}
        new = {each['position']: each['text'] for each in body['notes'] if 'id' not in each}
        self.entries += len(row.notes) - len(kept) + len(new)
        before = row.notes
        row.notes = {}
        for key, each in kept.items():
            text, position = before[key]
            row.notes[key] = (each.get('text', text), position)
            self.entries += row.notes[key] != before[key]
        for key, position in Note.objects.filter(item_id=number).values_list('pk', 'position'):
            if key not in before:
                row.notes[key] = (new[position], position)


def highest(word: str) -> int:
    """The highest level that a caller holds anywhere."""
    return max(LEVELS[word].values(), default=0)


def status_of_all(refusals: Sequence[Refusal]) -> int:
    """The status of a request all of which is refused: that of what is found out first."""
    first = min(refusal.phase for refusal in refusals)
    statuses = {refusal.status for refusal in refusals if refusal.phase == first}
    (status, *others) = statuses
    return status if not others and status in (403, 409, 412) else 422


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def _merged(target: Any, patch: Any) -> Any:
    """A JSON Merge Patch of one level."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result
