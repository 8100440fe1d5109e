"""The clinic's resources: notes are for some, and e-mail addresses are found by equality."""

from collections.abc import Mapping
from typing import Any

from backstay.resources import (
    ALL,
    Grant,
    InPython,
    Many,
    One,
    Parent,
    Resource,
    anyone,
    level_somewhere,
    signed_in,
)
from tests.clinic.models import Company, Inpatient, Letter, Patient

_WHOLE = {'write': ALL, 'create': ALL, 'delete': True}


def _initials(needed: Mapping[str, Any]) -> str | None:
    notes = needed['notes']
    return notes[:1] if notes else None


class CompanyResource(Resource):
    class Meta:
        model = Company
        fields = ('id', 'name')

    grants = (Grant(anyone, read=ALL), Grant(signed_in, read=ALL, **_WHOLE))


class PatientResource(Resource):
    class Meta:
        model = Patient
        fields = ('id', 'name', 'company_id', 'notes', 'plan', 'email', 'version')
        version = 'version'
        natural_key = ('id',)
        require_idempotency_key = ()
        put = True

    company = Parent(CompanyResource)
    letters = Many('LetterResource', source='letter_set', writable=True)
    initial = InPython(_initials, needs=('notes',), schema={'type': ['string', 'null']})
    grants = (
        Grant(anyone, read=('id', 'name', 'company_id', 'letters')),
        Grant(signed_in, read=ALL, **_WHOLE),
        Grant(
            level_somewhere(2),
            read=('id', 'name', 'company_id', 'plan', 'version'),
            write=('notes',),
        ),
    )


class LetterResource(Resource):
    class Meta:
        model = Letter
        fields = ('id', 'patient_id', 'company_id', 'text', 'code')
        require_idempotency_key = ()

    company = One(CompanyResource)
    patient = Parent(PatientResource)
    grants = (Grant(anyone, read=ALL), Grant(signed_in, read=ALL, **_WHOLE))


class InpatientResource(Resource):
    class Meta:
        model = Inpatient
        fields = ('id', 'name', 'notes', 'ward')
        lookup = 'id'

    grants = (Grant(signed_in, read=ALL, **_WHOLE),)


SERVED = {
    'companies': CompanyResource,
    'patients': PatientResource,
    'letters': LetterResource,
    'inpatients': InpatientResource,
}
