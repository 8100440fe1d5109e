"""Values of filters: what a client wrote, as Python's own type for the kind of the field.

Stage: reading. It refuses what a field cannot hold (`FilterError` `BadValue`), so that no database
ever meets a value that it would stumble over.

A value comes out of JSON or out of a query parameter. Text is read alike in both, so that `"10"`
and `10` are the same number; only true and false differ, which JSON has words for.
"""

from typing import Any

from backstay.resources.declaration.shape import Field
from backstay.resources.errors import FilterError


def read(field: Field, raw: object, pointer: str = '') -> Any:
    """Return the value that JSON or text stands for, as the field's column is compared with it.

    An array's value is one of its elements. Raises FilterError `BadValue`, with the pointer.
    """
    try:
        return field.kind.read(raw, field.model_field)
    except OverflowError:
        fault = 'value out of range'
    except ValueError:
        fault = 'value of the wrong type'
    expected = field.kind.expected(field.model_field)
    raise FilterError('BadValue', f'A {fault}: `{field.name}` takes {expected}.', pointer)


def escaped(text: str) -> str:
    """Return the pattern that matches a text literally.

    >>> escaped('100%')
    '100\\\\%'
    """
    return text.replace('\\', '\\\\').replace('%', '\\%').replace('_', '\\_')
