"""Quick acceptance: what it takes, Django REST Framework takes, and makes the same of it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from backstay.resources import kinds
from backstay.resources.write.quick import SLOW
from tests.writes.json_values import MEMBERS, VALUES


@settings(
    max_examples=1_500,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
@given(raw=VALUES)
@example(raw=None)
@example(raw=True)
def test_what_is_taken_quickly_is_taken_alike_by_the_framework(raw: object) -> None:
    for name, member in MEMBERS.items():
        taken = member.quick(raw)
        if taken is SLOW:
            continue
        told = member.check.run_validation(raw)
        told = None if told is None else member.field.kind.refine(told)
        assert type(taken) is type(told), name
        assert repr(taken) == repr(told), name


#: The usual form of a value, by the kind of its column.
USUAL: dict[kinds.ValueKind, Any] = {
    kinds.BOOLEAN: True,
    kinds.DATE: '2026-01-31',
    kinds.DECIMAL: {2: '19.90', 10: '0.0000000001'},
    kinds.INTEGER: 7,
    kinds.LONG_TEXT: 'text',
    kinds.TEXT: 'text',
}
#: Texts that have to look like something.
LEFT_TO_THE_FRAMEWORK = {'slug', 'email', 'url', 'path', 'code'}


@pytest.mark.parametrize('name', MEMBERS)
def test_the_usual_form_is_taken_quickly(name: str) -> None:
    member = MEMBERS[name]
    usual = USUAL.get(member.field.kind)
    if usual is None or member.name in LEFT_TO_THE_FRAMEWORK:
        return
    if isinstance(usual, dict):
        usual = usual[member.field.model_field.decimal_places]
    assert member.quick(usual) is not SLOW
