"""The addresses of contributors, under their prefix."""

from django.urls import path

from backstay.resources import ResourceRouter
from services.contributors.checking import Check
from services.contributors.resources import (
    AgreementResource,
    ContributorResource,
    SignatureResource,
)
from services.contributors.signing import Sign

router = ResourceRouter()
router.register('agreements', AgreementResource)
router.register('people', ContributorResource)
router.register('signatures', SignatureResource)

urlpatterns = [
    path('sign/', Sign.as_view()),
    path('check/', Check.as_view()),
    *router.urls,
]
