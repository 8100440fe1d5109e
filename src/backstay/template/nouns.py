"""The name of a resource in its forms: one and several, as a class, a variable and an address."""

import keyword
import re
from dataclasses import dataclass

from backstay.template import TemplateError

_NAME = re.compile(r'[a-z][a-z0-9]*(-[a-z0-9]+)*')


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """The name of a resource, in its forms."""

    #: `line-item` and `line-items`.
    singular: str
    plural: str

    @property
    def model(self) -> str:
        """`LineItem`"""
        return ''.join(part.capitalize() for part in self.singular.split('-'))

    @property
    def resource(self) -> str:
        """`LineItemResource`"""
        return f'{self.model}Resource'

    @property
    def variable(self) -> str:
        """`line_item`"""
        return self.singular.replace('-', '_')

    @property
    def variables(self) -> str:
        """`line_items`"""
        return self.plural.replace('-', '_')

    @property
    def words(self) -> str:
        """`line items`"""
        return self.plural.replace('-', ' ')


def noun_of(name: str, plural: str = '') -> Noun:
    """Return the name in its forms; raise TemplateError if it cannot be a name in Python."""
    for each in filter(None, (name, plural)):
        if not _NAME.fullmatch(each) or not 2 <= len(each) <= 40:
            raise TemplateError(
                f'{each}: use lower case, digits and single hyphens, 2 to 40 characters, with a '
                'letter first, such as line-item'
            )
    noun = Noun(singular=name, plural=plural or _plural_of(name))
    if noun.plural == noun.singular:
        raise TemplateError(f'{name}: several of it need another name; give --plural')
    if keyword.iskeyword(noun.variable) or keyword.iskeyword(noun.model):
        raise TemplateError(f'{name} is a word of Python; choose another')
    return noun


def _plural_of(name: str) -> str:
    if re.search(r'[^aeiou]y$', name) and not re.search(r'(^|-)by$', name):
        return f'{name[:-1]}ies'
    return f'{name}es' if re.search(r'(s|x|z|ch|sh)$', name) else f'{name}s'
