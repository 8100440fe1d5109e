"""Patients and their papers: encrypted columns in every way that they can be declared."""

from uuid import uuid4

from django.db import models

from backstay.encryption import BlindIndex, BlindIndexedTextField, EncryptedTextField, unchanged


class Company(models.Model):
    """A tenant, which owns the keys of its rows."""

    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name


class Patient(models.Model):
    """Each row has a key of its own."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    name = models.CharField(max_length=80)
    company = models.ForeignKey(Company, models.CASCADE, null=True, blank=True)
    notes = EncryptedTextField(null=True, blank=True)
    plan = EncryptedTextField(default='rest', blank=True, max_length=200)
    email = BlindIndexedTextField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = (models.Index(BlindIndex('email'), name='patient_by_email'),)

    def __str__(self) -> str:
        return self.name


class Inpatient(Patient):
    """A child with a table and a secret of its own."""

    ward = EncryptedTextField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Paper(models.Model):
    """A base to derive from: keys of the tenant, and rows that are told apart by a column."""

    row_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    company = models.ForeignKey(Company, models.CASCADE)
    text = EncryptedTextField(row='row_key', owner='company')
    code = BlindIndexedTextField(
        row='row_key', owner='company', normalise=unchanged, null=True, blank=True
    )

    class Meta:
        abstract = True


class Letter(Paper):
    """The database makes its primary key."""

    patient = models.ForeignKey(Patient, models.CASCADE, null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f'letter {self.pk}'


class Receipt(Paper):
    """Its key is given, or made by the database."""

    place = models.SlugField(unique=True)

    def __str__(self) -> str:
        return f'receipt {self.pk}'


class Case(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    company = models.ForeignKey(Company, models.CASCADE)
    title = models.CharField(max_length=80)
    findings = EncryptedTextField(blank=True, default='')
    phone = BlindIndexedTextField(owner='company', null=True, blank=True)

    class Meta:
        indexes = (models.Index(BlindIndex('phone'), name='case_by_phone'),)

    def __str__(self) -> str:
        return self.title
