"""Elements of a bulk: what is sent for each issue, and what is wrong with it.

What pydantic takes as it stands is right, and is taken in a hundredth of the time; Django REST
Framework decides about all else, and has the words for what is wrong.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, TypeAdapter
from pydantic import ValidationError as NotPlain
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from typing_extensions import TypedDict

from services.codereview.models import Issue, Level

#: The largest number that a column of integers holds.
MOST = 2**31 - 1
#: Text in which something is left when it is trimmed, and nothing that a database refuses.
_SOMETHING = r'^[^\x00]*[^\s\x00\x1c-\x1f][^\x00]*$'

_Text32 = Annotated[str, Field(strict=True, max_length=32, pattern=_SOMETHING)]
_Text50 = Annotated[str, Field(strict=True, max_length=50, pattern=_SOMETHING)]
_Text250 = Annotated[str, Field(strict=True, max_length=250, pattern=_SOMETHING)]
_Text = Annotated[str, Field(strict=True, pattern=_SOMETHING)]
_Flag = Annotated[bool, Field(strict=True)]
_Place = Annotated[int, Field(strict=True, ge=0, le=MOST)]


class Element(TypedDict):
    """An issue and one place of it, as it is stored."""

    hash: _Text32
    analyzer: _Text50
    path: _Text250
    level: Literal['warning', 'error']
    check: NotRequired[_Text250 | None]
    message: NotRequired[_Text | None]
    in_patch: NotRequired[_Flag | None]
    new_for_revision: NotRequired[_Flag | None]
    line: NotRequired[_Place | None]
    nb_lines: NotRequired[_Place | None]
    char: NotRequired[_Place | None]


_plain = TypeAdapter(list[Element])


class Positions(serializers.ListSerializer):
    """A list that tells what is wrong by position: `{}` for an element that is right."""

    def to_internal_value(self, data: Any) -> Any:
        """The elements."""
        try:
            return super().to_internal_value(data)
        except ValidationError as error:
            faults: Any = error.detail
            if isinstance(faults, dict) and all(isinstance(place, int) for place in faults):
                faults = [faults.get(place, {}) for place in range(len(data))]
            raise ValidationError(faults) from None


class NewIssue(serializers.Serializer):
    """An issue and one place of it."""

    class Meta:
        list_serializer_class = Positions

    id = serializers.UUIDField(required=False)
    hash = serializers.CharField(max_length=32)
    analyzer = serializers.CharField(max_length=50)
    path = serializers.CharField(max_length=250)
    level = serializers.ChoiceField(choices=Level.choices)
    check = serializers.CharField(max_length=250, required=False, allow_null=True, allow_blank=True)
    message = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    in_patch = serializers.BooleanField(required=False, allow_null=True)
    new_for_revision = serializers.BooleanField(required=False, allow_null=True)
    line = serializers.IntegerField(min_value=0, max_value=MOST, required=False, allow_null=True)
    nb_lines = serializers.IntegerField(
        min_value=0, max_value=MOST, required=False, allow_null=True
    )
    char = serializers.IntegerField(min_value=0, max_value=MOST, required=False, allow_null=True)


class NewIssues(serializers.Serializer):
    """The body of a bulk. An empty id of a diff is none."""

    diff_provider_id = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=40
    )
    issues = NewIssue(many=True)


def read_body(body: Any) -> tuple[str | None, Sequence[Mapping[str, Any]]]:
    """The id of the diff, if any, and the elements. Raises ValidationError, with all faults.

    It takes a statement where elements have ids, and none otherwise.
    """
    if (plain := _read_plain(body)) is not None:
        return body.get('diff_provider_id') or None, plain
    read = NewIssues(data=body)
    read.is_valid(raise_exception=True)
    elements = read.validated_data['issues']
    _refuse_taken_ids(elements)
    for element in elements:
        for name in ('check', 'message'):
            element[name] = element.get(name) or None
    return read.validated_data.get('diff_provider_id') or None, elements


def _read_plain(body: Any) -> Sequence[Mapping[str, Any]] | None:
    """The elements, where all are right as they stand and none has an id."""
    if not isinstance(body, dict):
        return None
    diff, issues = body.get('diff_provider_id'), body.get('issues')
    try:
        elements: list[Any] = _plain.validate_python(issues, strict=True)
    except NotPlain:
        return None
    if any('id' in issue for issue in issues) or not _is_name(diff):  # type: ignore[union-attr]
        return None
    for element in elements:
        for name in _TEXTS:
            if text := element.get(name):
                element[name] = text.strip()
    return elements


_TEXTS = ('hash', 'analyzer', 'path', 'check', 'message')


def _is_name(diff: Any) -> bool:
    """Whether it may be the id of a diff, or says that there is none."""
    return diff is None or (
        isinstance(diff, str) and re.fullmatch('[0-9A-Za-z-]{0,40}', diff) is not None
    )


def _refuse_taken_ids(elements: Sequence[Mapping[str, Any]]) -> None:
    """An id is that of one issue, and of one that is not stored yet."""
    ids = [element['id'] for element in elements if 'id' in element]
    if not ids:
        return
    taken = set(Issue.objects.filter(pk__in=ids).values_list('pk', flat=True))
    hashes: dict[Any, str] = {}
    faults = [
        {'id': ['issue with this id already exists.']}
        if (pk := element.get('id'))
        and (pk in taken or hashes.setdefault(pk, element['hash']) != element['hash'])
        else {}
        for element in elements
    ]
    if any(faults):
        raise ValidationError({'issues': faults})
