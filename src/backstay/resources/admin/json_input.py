"""JSON in forms of the admin: read as strictly as a body of the API."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from backstay.errors import Problem
from backstay.resources.kinds.value_kind import Refused
from backstay.resources.query.json_text import load_json
from backstay.resources.write.members import plain_json


class StrictJSONField(forms.JSONField):
    """A JSON field that refuses, beside itself, what the API refuses and some engine cannot hold.

    Django's own takes lone surrogates, NUL and NaN, on which PostgreSQL fails, and fails itself on
    endless numbers and deep nesting.
    """

    def to_python(self, value: Any) -> Any:
        """Return the JSON; raise ValidationError for a text that the API would not take."""
        if isinstance(value, str) and value not in self.empty_values and not self.disabled:
            try:
                plain_json(load_json(value))
            except Problem as problem:
                raise ValidationError(problem.detail, code='invalid') from None
            except Refused as error:
                raise ValidationError(str(error), code='invalid') from None
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what the form shows again: a refused text as it was sent."""
        try:
            if isinstance(data, str):
                load_json(data)
        except Problem:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)

    def prepare_value(self, value: Any) -> Any:
        """Return the text of the input; halves of pairs in a stored value stay escaped."""
        text = super().prepare_value(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            return json.dumps(value, cls=self.encoder)
        return str(text)
