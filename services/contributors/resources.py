"""What contributors look like from outside: texts to all, people to themselves and to keepers.

Workflows read none of it: they may ask about the authors of a pull request (`checking`).
"""

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat

from backstay.resources import (
    ALL,
    CallerValue,
    Computed,
    Grant,
    Many,
    One,
    Resource,
    anyone,
    own_level,
    signed_in,
)
from services.contributors.models import Address, Agreement, Contributor, Signature

#: From which level on an account looks after the agreement.
KEEPERS = 4
OWN = CallerValue('account_id')
_DIGITS = CharField(max_length=20)


class AgreementResource(Resource):
    """A version of the text."""

    class Meta:
        model = Agreement
        fields = ('id', 'major', 'minor', 'patch', 'link', 'published_at')
        default_mask = '{id,version,link,published_at}'
        ordering = ('-major', '-minor', '-patch')

    version = Computed(
        Concat(
            Cast('major', _DIGITS),
            Value('.'),
            Cast('minor', _DIGITS),
            Value('.'),
            Cast('patch', _DIGITS),
        ),
        CharField(),
    )
    grants = (
        Grant(anyone, read=ALL),
        Grant(own_level(KEEPERS), read=ALL, create=('major', 'minor', 'patch', 'link')),
    )


class AddressResource(Resource):
    """A verified address."""

    class Meta:
        model = Address
        fields = ('id', 'contributor_id', 'address', 'verified_at')

    grants = (
        Grant(signed_in, read=ALL, rows=Q(contributor__account_id=OWN)),
        Grant(own_level(KEEPERS), read=ALL),
    )


class SignatureResource(Resource):
    """Who signed which version, and when."""

    class Meta:
        model = Signature
        fields = ('id', 'contributor_id', 'agreement_id', 'signed_at')
        default_mask = '{id,contributor_id,agreement,signed_at}'

    agreement = One(AgreementResource)
    grants = (
        Grant(signed_in, read=ALL, rows=Q(contributor__account_id=OWN)),
        Grant(own_level(KEEPERS), read=ALL),
    )


class ContributorResource(Resource):
    """An account of GitHub."""

    class Meta:
        model = Contributor
        fields = ('id', 'github_id', 'login', 'created_at')

    addresses = Many(AddressResource)
    signatures = Many(SignatureResource)
    grants = (
        Grant(signed_in, read=ALL, rows=Q(account_id=OWN)),
        Grant(own_level(KEEPERS), read=ALL),
    )
