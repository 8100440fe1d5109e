"""What contributors look like from outside: texts to all, people to themselves and to keepers.

Workflows read none of it: they may ask about the authors of a pull request (`checking`).
"""

from typing import Any

from django.db.models import BigIntegerField, CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from backstay.identity import Account
from backstay.resources import (
    ALL,
    CallerValue,
    Computed,
    Grant,
    Many,
    One,
    Resource,
    Scope,
    anyone,
    level_somewhere,
    signed_in,
)
from services.contributors.models import Address, Agreement, Contributor, Signature

#: From which level on an account looks after the agreement.
KEEPERS = 4
_DIGITS = CharField(max_length=20)


def scopes_of(account_id: Any) -> QuerySet[Any, Any]:
    """Accounts of that level hold all contributors; a level over something else is not enough."""
    held = Account.objects.filter(pk=account_id, level__gte=KEEPERS)
    everything = Value(None, output_field=BigIntegerField())
    return held.values_list(Value('contributors'), everything, 'level', Value(False))


#: Whoever holds all contributors is compared with no row.
ALL_OF_THEM = Scope('contributors', KEEPERS)
OWN = CallerValue('account_id')


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
        Grant(
            level_somewhere(KEEPERS),
            read=ALL,
            create=('major', 'minor', 'patch', 'link'),
            rows=Q(id__in=ALL_OF_THEM),
        ),
    )


class AddressResource(Resource):
    """A verified address."""

    class Meta:
        model = Address
        fields = ('id', 'contributor_id', 'address', 'verified_at')

    grants = (
        Grant(signed_in, read=ALL, rows=Q(contributor__account_id=OWN)),
        Grant(level_somewhere(KEEPERS), read=ALL, rows=Q(contributor_id__in=ALL_OF_THEM)),
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
        Grant(level_somewhere(KEEPERS), read=ALL, rows=Q(contributor_id__in=ALL_OF_THEM)),
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
        Grant(level_somewhere(KEEPERS), read=ALL, rows=Q(id__in=ALL_OF_THEM)),
    )
