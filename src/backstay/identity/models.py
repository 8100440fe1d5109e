"""The tables of identity: accounts, API keys, token pairs and counters.

Only hashes of secrets are stored, and nothing here is tied to a domain: which companies,
classes or teams an account belongs to is the services' matter (`Service.scopes`).
"""

import unicodedata
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

#: The level of everybody who can sign in, and the level that may do everything.
LOWEST_LEVEL, HIGHEST_LEVEL = 1, 5


class Accounts(BaseUserManager['Account']):
    """Makes accounts; the two verbs are those that Django's own commands call."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> 'Account':
        """Return a saved account; without a password nobody can sign in to it.

        The caller vouches for the e-mail address: it counts as verified.
        """
        account = self.model(username=Account.normalize_username(username), **fields)
        account.set_password(password)
        account.follow_username()
        account.full_clean(exclude=['password'])
        account.save(using=self._db)
        account.vouch_for_email()
        return account

    def create_superuser(self, username: str, password: str, **fields: Any) -> 'Account':
        """Return a saved account of the highest level that may do everything in the admin."""
        rights = {'is_staff': True, 'is_superuser': True, 'level': HIGHEST_LEVEL}
        return self.create_user(username, password, **{**rights, **fields})

    def get_by_natural_key(self, username: str | None) -> 'Account':
        """Return the account of a user name, in upper or lower case."""
        return self.get(username=Account.normalize_username(username or ''))


class AccountStatus(models.TextChoices):
    """Whether an account may sign in, and why not."""

    ACTIVE = 'active'
    BLOCKED = 'blocked'
    CLOSED = 'closed'


class AccountFields(AbstractBaseUser, PermissionsMixin):
    """The columns of every account model; a site that needs more subclasses it.

    It names its own model in `AUTH_USER_MODEL`, before the first migration is applied.
    """

    username = models.CharField(
        'user name',
        max_length=254,
        unique=True,
        help_text='An e-mail address, or a plain name for bots and operators.',
        validators=[RegexValidator(r'\A[\w.@+-]+\Z', 'Use letters, digits and . @ + - _ only.')],
    )
    email = models.EmailField('e-mail address', blank=True)
    name = models.CharField(max_length=150, blank=True, help_text='What the account is called.')
    status = models.CharField(max_length=8, choices=AccountStatus, default=AccountStatus.ACTIVE)
    level = models.PositiveSmallIntegerField(
        default=LOWEST_LEVEL,
        validators=[MinValueValidator(LOWEST_LEVEL), MaxValueValidator(HIGHEST_LEVEL)],
        help_text='1 for everybody; what more is allowed from which level, resources say.',
    )
    is_staff = models.BooleanField('staff', default=False, help_text='May open the admin.')
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = Accounts()

    USERNAME_FIELD = 'username'
    EMAIL_FIELD = 'email'
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        abstract = True
        ordering = ('username',)
        constraints = (
            models.CheckConstraint(
                name='%(app_label)s_%(class)s_username_is_lower_case',
                condition=models.Q(username=Lower('username')),
            ),
            models.CheckConstraint(
                name='%(app_label)s_%(class)s_email_is_lower_case',
                condition=models.Q(email=Lower('email')),
            ),
            models.UniqueConstraint(
                fields=('email',),
                name='%(app_label)s_%(class)s_email_is_unique',
                condition=~models.Q(email=''),
            ),
        )

    def __str__(self) -> str:
        return self.username

    @property
    def is_active(self) -> bool:
        """Whether the account may sign in; Django and allauth read this name."""
        return self.status == AccountStatus.ACTIVE

    @is_active.setter
    def is_active(self, value: bool) -> None:
        """Follow Django's convention: False blocks the account, True opens one that is not."""
        if not value and self.is_active:
            self.status = AccountStatus.BLOCKED
        elif value:
            self.status = AccountStatus.ACTIVE

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return the one spelling of a user name: Unicode-normalised, lower case."""
        return super().normalize_username(username).lower()

    def clean(self) -> None:
        super().clean()
        self.follow_username()
        if '@' in self.username and self.username != self.email:
            raise ValidationError({'email': 'It must be the user name, which is an address.'})

    def follow_username(self) -> None:
        """Use a user name that is an address as the e-mail address, unless there is one."""
        self.email = self.email.lower()
        if '@' in self.username and not self.email:
            self.email = self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the account; a user name that is an address follows a change of the address."""
        self.email = self.email.lower()
        if '@' in self.username and self.email and self.username != self.email:
            self.username = self.email
            fields = kwargs.get('update_fields')
            kwargs |= {'update_fields': {*fields, 'username'}} if fields is not None else {}
        super().save(*args, **kwargs)

    def set_password(self, raw_password: str | None) -> None:
        """Set the password; different encodings of the same text are one password."""
        super().set_password(_one_spelling(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Whether this is the account's password, counted for whichever page asks for it.

        Raises SignInThrottled after too many that were wrong.
        """
        from allauth.core import context

        from backstay.identity.attempts import password_attempt

        with password_attempt(context.request, self.username) as attempt:
            attempt.succeeded = self.has_password(raw_password)
        return attempt.succeeded

    def has_password(self, raw_password: str | None) -> bool:
        """Whether this is the account's password, for code that counts the attempts itself."""
        return super().check_password(_one_spelling(raw_password))

    def vouch_for_email(self) -> None:
        """Record the e-mail address as verified: one statement, or none without an address."""
        from allauth.account.models import EmailAddress

        if self.email:
            EmailAddress.objects.create(
                user_id=self.pk, email=self.email, verified=True, primary=True
            )


def _one_spelling(password: str | None) -> str | None:
    return None if password is None else unicodedata.normalize('NFKC', password)


class Account(AccountFields):
    """An account to sign in with: people by e-mail address, bots and operators by plain name."""

    class Meta(AccountFields.Meta):
        swappable = 'AUTH_USER_MODEL'


class ApiKey(models.Model):
    """A secret with which a program calls the API; its rights never exceed its creator's."""

    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name='api_keys'
    )
    name = models.CharField(max_length=100, help_text='What it is for.')
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    #: SHA-256 of the secret. The secret has 256 random bits, so nothing slower is needed.
    secret_hash = models.CharField(max_length=64, editable=False)
    level = models.PositiveSmallIntegerField(
        default=LOWEST_LEVEL,
        validators=[MinValueValidator(LOWEST_LEVEL), MaxValueValidator(HIGHEST_LEVEL)],
    )
    scopes = models.JSONField(
        null=True,
        blank=True,
        help_text='[{"over": "companies", "id": 1, "level": 2}]; empty for all of the creator\'s.',
    )
    ip_allow = models.JSONField(
        default=list, blank=True, help_text='Networks it may be used from; empty for all.'
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ('-created_at', '-pk')
        verbose_name = 'API key'
        indexes = (models.Index(fields=('creator', 'revoked_at', 'expires_at')),)

    def __str__(self) -> str:
        return f'{self.name} (cak_{self.prefix}…)'


class TokenPair(models.Model):
    """The live access and refresh token of an API client's session.

    A session has one pair; what a refresh replaces is dead. Only HMACs are stored, and the session
    behind the pair is Django's: whatever ends that one ends the pair.
    """

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name='+'
    )
    #: Random, first part of every token of the session.
    selector = models.CharField(max_length=22, unique=True)
    session_key = models.CharField(max_length=40, unique=True)
    #: Django's hash of the account's password, at sign-in.
    password_mark = models.CharField(max_length=64)
    access_hash = models.CharField(max_length=64)
    access_expires_at = models.DateTimeField()
    access_used = models.BooleanField(default=False)
    refresh_hash = models.CharField(max_length=64)
    refresh_expires_at = models.DateTimeField()
    #: The refresh token that the last refresh consumed.
    consumed_hash = models.CharField(max_length=64, blank=True)
    consumed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f'the tokens of account {self.account_id}'


class EmailChange(models.Model):
    """An old address of an account, which can still be restored."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name='+'
    )
    old_email = models.EmailField()
    #: SHA-256 of the text mailed there. It has 256 random bits, so nothing slower is needed.
    undo_hash = models.CharField(max_length=64, unique=True)
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f'a change of account {self.account_id}'


class Counter(models.Model):
    """The times of the last hits of one limit, for a site without Redis."""

    key = models.CharField(max_length=64, primary_key=True)
    #: Seconds since 1970 as IEEE doubles, the newest first.
    hits = models.BinaryField()
    expires_at = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return self.key
