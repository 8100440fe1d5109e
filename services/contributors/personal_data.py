"""What the service holds about an account: who they are at GitHub, and what they signed.

A signature stays: it is what makes their contributions usable. It names an account of GitHub, and
nothing of the account here any more.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount

from backstay.identity import PersonalData
from services.contributors.models import Address, Contributor, Signature


def export(account_id: Any) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    """Return the contributor of an account, their addresses and their signatures."""
    theirs = {'contributor__account_id': account_id}
    return {
        'GitHub': SocialAccount.objects.filter(user_id=account_id).values(
            'uid', 'date_joined', 'last_login', 'extra_data'
        ),
        'contributor': Contributor.objects.filter(account_id=account_id).values(
            'github_id', 'login', 'created_at'
        ),
        'addresses': Address.objects.filter(**theirs).values('address', 'verified_at'),
        'signatures': Signature.objects.filter(**theirs).values(
            'agreement__major', 'agreement__minor', 'agreement__patch', 'signed_at'
        ),
    }


def erase(account_id: Any) -> None:
    """Delete the addresses and the link to GitHub, and part the contributor from the account."""
    SocialAccount.objects.filter(user_id=account_id).delete()
    Address.objects.filter(contributor__account_id=account_id).delete()
    Contributor.objects.filter(account_id=account_id).update(account=None)


SIGNED = PersonalData(export=export, erase=erase)
