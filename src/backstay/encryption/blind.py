"""Blind indexes: equal texts are found by a digest under a key, and nothing else is.

The digest stands in the header of what is stored, so that it is always that of the value. It begins
with the number of its key; while the key is changed, rows under the old one are found too.
"""

import hmac
import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Func
from django.db.models.sql.compiler import SQLCompiler

from backstay.encryption.declared import EncryptedField
from backstay.encryption.envelope import INDEX_AT, INDEX_BYTES, INDEX_NUMBER_BYTES
from backstay.encryption.keys import index_keys

#: SQL of the blind index of a stored value `{x}`, as text, by the engine.
DIGEST = {
    'postgresql': f"encode(substr({{x}}, {INDEX_AT + 1}, {INDEX_BYTES}), 'hex')",
    'sqlite': f"nullif(lower(hex(substr({{x}}, {INDEX_AT + 1}, {INDEX_BYTES}))), '')",
}


def unchanged(text: str) -> str:
    """Return the text as it is: equal is what has the same characters."""
    return text


def casefolded(text: str) -> str:
    """Return the text without case, outer blanks and differences of composition (NFKC)."""
    return unicodedata.normalize('NFKC', unicodedata.normalize('NFKC', text).strip().casefold())


def digest(text: str, number: int, key: bytes) -> bytes:
    """Return the blind index of a normalised text."""
    code = hmac.digest(key, text.encode(), sha256)
    return (number.to_bytes(INDEX_NUMBER_BYTES, 'big') + code)[:INDEX_BYTES]


def wanted(field: EncryptedField, texts: Iterable[str], using: str) -> list[str]:
    """Return what the blind index of rows with one of these texts may be, as `DIGEST` writes it."""
    if field.normalise is None:
        raise TypeError(f'{field.name} has no blind index')
    keys = index_keys(field.context, using)
    every = [field.normalise(text) for text in texts]
    return [digest(text, *key).hex() for text in every for key in keys]


class BlindIndex(Func):
    """The blind index of an encrypted column: for `Meta.indexes` and unique constraints.

        indexes = (models.Index(BlindIndex('email'), name='patient_by_email'),)

    Two rows that were written under different keys of the index are equal to no unique constraint
    until `backstay encryption reseal` has run.
    """

    output_field = models.TextField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Any:
        return self._written('postgresql', compiler)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        return self._written('sqlite', compiler)

    def _written(self, engine: str, compiler: SQLCompiler) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        return DIGEST[engine].format(x=sql), params


class BlindIn(models.lookups.In):
    """Rows whose value is one of some texts."""

    def get_prep_lookup(self) -> Any:
        """Return the texts. Raises TypeError for other values."""
        texts = [self.rhs] if isinstance(self.rhs, str) else self.rhs
        if not isinstance(texts, list | tuple | set | frozenset) or not all(
            isinstance(each, str) for each in texts
        ):
            raise TypeError('An encrypted column is compared with texts alone.')
        return list(texts)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        found = wanted(self.lhs.output_field, self.rhs, connection.alias)
        sql, params = compiler.compile(BlindIndex(self.lhs))
        if not found:
            return '1 = 0', ()
        return f'{sql} IN ({", ".join(["%s"] * len(found))})', (*params, *found)


class BlindExact(BlindIn):
    """Rows whose value is one text; several keys of the index may be in use."""

    lookup_name = 'exact'
