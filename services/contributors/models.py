"""Contributors and what they signed."""

from django.conf import settings
from django.core.validators import URLValidator
from django.db import models
from django.db.models.functions import Lower, Now


class Contributor(models.Model):
    """An account of GitHub whose owner has signed in here, or once did."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name='contributor',
        help_text='Who signs in; none once that account is gone. What was signed stays.',
    )
    github_id = models.BigIntegerField(unique=True, help_text='It stays when the login changes.')
    login = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.login


class Address(models.Model):
    """An address that GitHub has verified to be a contributor's."""

    contributor = models.ForeignKey(Contributor, on_delete=models.CASCADE, related_name='addresses')
    address = models.CharField(max_length=254, unique=True)
    verified_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = 'addresses'
        constraints = (
            models.CheckConstraint(
                condition=models.Q(address=Lower('address')), name='address_is_lower_case'
            ),
        )

    def __str__(self) -> str:
        return self.address


class Agreement(models.Model):
    """A version of the text: major.minor.patch, told apart by what they mean."""

    major = models.PositiveIntegerField()
    minor = models.PositiveIntegerField()
    patch = models.PositiveIntegerField()
    link = models.CharField(
        max_length=200,
        validators=[URLValidator(schemes=['https'])],
        help_text='Where this version of the text can be read.',
    )
    published_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint('major', 'minor', 'patch', name='version_is_published_once'),
        )

    def __str__(self) -> str:
        return self.version

    @property
    def version(self) -> str:
        """`major.minor.patch`."""
        return f'{self.major}.{self.minor}.{self.patch}'

    @classmethod
    def newest(cls) -> 'Agreement | None':
        """The one that is to be signed; None before the first. Costs a statement."""
        return cls.objects.order_by('-major', '-minor', '-patch').first()


class Signature(models.Model):
    """A contributor signed a version."""

    contributor = models.ForeignKey(
        Contributor, on_delete=models.PROTECT, related_name='signatures'
    )
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name='signatures')
    signed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint('contributor', 'agreement', name='version_is_signed_once'),
        )

    def __str__(self) -> str:
        return f'{self.contributor_id} signed {self.agreement_id}'
