"""What code review looks like from outside: anyone may read, and nobody writes through these.

Writes are those of the contract (`revisions`, `diffs`, `publishing`). Members come in the order of
the default masks, which clients see.
"""

from typing import Any, ClassVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    DateTimeField,
    Expression,
    F,
    Q,
    TextField,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat
from django.db.models.sql.compiler import SQLCompiler

from backstay.engine import engine_of
from backstay.resources import ALL, Computed, Grant, One, Resource, Url, anyone
from services.codereview.comparison import IS_KNOWN, IS_UNRESOLVED
from services.codereview.models import Diff, IssueLink, Provider, Repository, Revision, phabricator
from services.codereview.moments import Moment

PUBLIC = (Grant(anyone, read=ALL),)
_URL = CharField(max_length=200)
_DIGITS = CharField(max_length=20)


class PhabricatorUrl(Expression):
    """Where Phabricator shows revisions, without their number; a setting, read when compiled."""

    output_field: ClassVar = CharField()

    def as_sql(
        self,
        compiler: SQLCompiler,  # noqa: ARG002 the signature of Django's expressions
        connection: BaseDatabaseWrapper,
    ) -> tuple[str, tuple[Any, ...]]:
        """The setting's scheme and host, and `/D`."""
        return engine_of(connection).text_parameter(), (f'{phabricator()}/D',)


class RepositoryResource(Resource):
    """A repository."""

    class Meta:
        model = Repository
        fields = ('id', 'slug', 'url')
        default_mask = '{id,slug,url}'
        ordering = ('slug',)
        short_lists = True

    grants = PUBLIC


class RevisionResource(Resource):
    """A revision, with its repositories as URLs."""

    class Meta:
        model = Revision
        fields = (
            'id',
            'base_repository_id',
            'base_changeset',
            'head_changeset',
            'provider',
            'provider_id',
            'title',
            'bugzilla_id',
            # Of its places in no diff.
            'nb_issues',
            'nb_issues_publishable',
            'nb_warnings',
            'nb_errors',
        )
        default_mask = (
            '{id,base_repository,head_repository,base_changeset,head_changeset,provider,'
            'provider_id,title,bugzilla_id,diffs_url,issues_bulk_url,url}'
        )
        ordering = ('provider', 'provider_id', 'id')

    base_repository = Computed(F('base_repository__url'), _URL)
    head_repository = Computed(F('head_repository__url'), _URL)
    diffs_url = Url('/v1/revision/{id}/diffs/')
    issues_bulk_url = Url('/v1/revision/{id}/issues/')
    created = Computed(Moment('created'), CharField(max_length=27))
    # What pages choose by.
    since = Computed(F('created'), DateTimeField())
    head_slug = Computed(F('head_repository__slug'), CharField(max_length=50))
    url = Computed(
        Case(
            When(provider_id=None, then=Value(None)),
            When(
                provider=Provider.PHABRICATOR,
                then=Concat(PhabricatorUrl(), Cast('provider_id', _DIGITS)),
            ),
            default=Concat('base_repository__url', Value('/issues/'), Cast('provider_id', _DIGITS)),
            output_field=CharField(),
        ),
        CharField(),
    )
    grants = PUBLIC


class DiffResource(Resource):
    """A diff among those of its revision."""

    class Meta:
        model = Diff
        fields = (
            'id',
            'provider_id',
            'number',
            'review_task_id',
            'mercurial_hash',
            'revision_id',
            'nb_issues',
            'nb_issues_publishable',
            'nb_warnings',
            'nb_errors',
        )
        default_mask = '{provider_id,review_task_id,repository,mercurial_hash,issues_url,id}'
        ordering = ('created', 'id')
        short_lists = True  # those of a revision
        name = 'DiffOfRevision'

    repository = Computed(F('repository__url'), _URL)
    created = Computed(F('created'), DateTimeField())
    issues_url = Url('/v1/diff/{provider_id}/issues/')
    grants = PUBLIC


class ListedDiffResource(Resource):
    """A diff among all, with its revision and with how many issues it has."""

    class Meta:
        model = Diff
        fields = (
            'id',
            'provider_id',
            'number',
            'review_task_id',
            'mercurial_hash',
            'nb_issues',
            'nb_issues_publishable',
            'nb_warnings',
            'nb_errors',
            'repository_id',
            'base_repository_id',
            'head_repository_id',
        )
        default_mask = (
            '{id,provider_id,revision,review_task_id,repository,mercurial_hash,issues_url,'
            'nb_issues,nb_issues_publishable,nb_warnings,nb_errors,created}'
        )
        ordering = ('-id',)
        name = 'Diff'

    revision = One(RevisionResource)
    repository = One(RepositoryResource)
    issues_url = Url('/v1/diff/{provider_id}/issues/')
    created = Computed(Moment('created'), CharField(max_length=27))
    # What is searched and filtered by.
    since = Computed(F('created'), DateTimeField())
    # What was published for the revision and for none of its diffs; pages count it too.
    undiffed = Computed(F('revision__nb_issues'), BigIntegerField())
    undiffed_publishable = Computed(F('revision__nb_issues_publishable'), BigIntegerField())
    # No index serves it: what few rows have is found by the index before (`diffs.filters_of`).
    searched = Computed(Concat(F('searched__text'), Value('')), CharField(max_length=400))
    grants = PUBLIC


class IssueOfDiffResource(Resource):
    """An occurrence of an issue in a diff, as the issue that occurs there."""

    class Meta:
        model = IssueLink
        fields = (
            'in_patch',
            'new_for_revision',
            'line',
            'nb_lines',
            'char',
            'diff_id',
            'revision_id',
        )
        default_mask = (
            '{id,hash,analyzer,path,level,check,message,publishable,in_patch,new_for_revision,'
            'line,nb_lines,char}'
        )
        ordering = ('created', 'place')
        short_lists = True  # those of a diff
        # An issue may occur in many diffs.
        lookup = 'place'
        name = 'Issue'

    id = Computed(F('issue_id'), UUIDField())
    hash = Computed(F('issue__hash'), CharField(max_length=32))
    analyzer = Computed(F('issue__analyzer'), CharField(max_length=50))
    path = Computed(F('issue__path'), CharField(max_length=250))
    level = Computed(F('issue__level'), CharField(max_length=20))
    check = Computed(F('issue__analyzer_check'), CharField(max_length=250))
    message = Computed(F('issue__message'), TextField())
    created = Computed(F('issue__created'), DateTimeField())
    # Key of the occurrence, as `id` is that of the issue.
    place = Computed(F('pk'), BigIntegerField())
    publishable = Computed(
        Case(
            When(Q(in_patch=True) | Q(issue__level='error'), then=Value(True)),
            default=Value(False),
        ),
        BooleanField(),
    )
    # What pages show and choose by.
    unresolved = Computed(IS_UNRESOLVED, BooleanField())
    known = Computed(IS_KNOWN, BooleanField())
    grants = PUBLIC
