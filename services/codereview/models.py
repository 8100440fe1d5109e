"""What code review stores: repositories, revisions, diffs, issues, and where issues occur.

Three things are kept by triggers of the database (`migrations/_triggers_of_*.py`), so that they are
right whoever writes: the counters and repositories of a diff, `Sighting` and `Tally`.
"""

from urllib.parse import urlsplit
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from services.codereview.options import option


class Dated(models.Model):
    """A row that knows when it was made and when it was last saved."""

    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Repository(Dated):
    """A repository that issues are found in, by its URL."""

    slug = models.CharField(max_length=50, unique=True)
    url = models.CharField('URL', max_length=200, unique=True)

    class Meta:
        ordering = ('id',)
        verbose_name_plural = 'repositories'

    def __str__(self) -> str:
        return self.slug


class Provider(models.TextChoices):
    """Where a revision is reviewed."""

    PHABRICATOR = 'phabricator'
    GITHUB = 'github'


def phabricator() -> str:
    """Scheme and host of Phabricator, as the site is configured."""
    url = urlsplit(option('CODEREVIEW_PHABRICATOR_URL'))
    return f'{url.scheme}://{url.netloc}'


class Revision(Dated):
    """A change under review, or a push that was analysed."""

    provider = models.CharField(max_length=20, choices=Provider, default=Provider.PHABRICATOR)
    provider_id = models.PositiveIntegerField(
        null=True, blank=True, help_text='Number of the revision or pull request there.'
    )
    base_repository = models.ForeignKey(
        Repository,
        on_delete=models.CASCADE,
        related_name='base_revisions',
        help_text='Where the change will land.',
    )
    head_repository = models.ForeignKey(
        Repository,
        on_delete=models.CASCADE,
        related_name='head_revisions',
        db_index=False,
        help_text='Where it was analysed.',
    )
    base_changeset = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 contract
    head_changeset = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 contract
    title = models.CharField(max_length=250)
    bugzilla_id = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ('provider', 'provider_id', 'id')
        constraints = (
            models.UniqueConstraint(
                fields=('provider_id',),
                condition=Q(provider='phabricator'),
                name='codereview_one_revision_of_phabricator',
            ),
            # Numbers of pull requests begin anew in every repository.
            models.UniqueConstraint(
                fields=('base_repository', 'provider_id'),
                condition=Q(provider='github'),
                name='codereview_one_pull_request_of_a_repository',
            ),
        )
        indexes = (
            models.Index(
                fields=('head_repository', 'head_changeset'), name='codereview_rev_changeset'
            ),
            models.Index(fields=('head_repository', 'created'), name='codereview_rev_created'),
            models.Index(fields=('provider', 'provider_id', 'id'), name='codereview_rev_order'),
        )

    def __str__(self) -> str:
        if self.provider == Provider.PHABRICATOR and self.provider_id is not None:
            return f'Phabricator D{self.provider_id} - {self.title}'
        return f'#{self.pk} - {self.title}'

    @property
    def url(self) -> str | None:
        """Where it is reviewed; for GitHub this may cost a statement."""
        if self.provider_id is None:
            return None
        if self.provider == Provider.PHABRICATOR:
            return f'{phabricator()}/D{self.provider_id}'
        return f'{self.base_repository.url}/issues/{self.provider_id}'


class Diff(Dated):
    """One state of a revision, as it was analysed."""

    provider_id = models.SlugField(max_length=40, db_index=False)
    #: Number that Phabricator gave it, which the bot knows it by.
    number = models.BigIntegerField(null=True, blank=True)
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name='diffs')
    review_task_id = models.CharField(max_length=30)
    mercurial_hash = models.CharField(max_length=40)
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name='diffs')
    # As the revision has them, so that lists are counted without looking at revisions.
    base_repository = models.ForeignKey(
        Repository,
        on_delete=models.DO_NOTHING,
        related_name='+',
        null=True,
        editable=False,
        db_constraint=False,
        db_index=False,
    )
    head_repository = models.ForeignKey(
        Repository,
        on_delete=models.DO_NOTHING,
        related_name='+',
        null=True,
        editable=False,
        db_constraint=False,
        db_index=False,
    )
    # How many links point here.
    nb_issues = models.PositiveIntegerField(default=0, editable=False)
    nb_issues_publishable = models.PositiveIntegerField(default=0, editable=False)
    nb_warnings = models.PositiveIntegerField(default=0, editable=False)
    nb_errors = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ('created', 'id')
        constraints = (
            models.UniqueConstraint(fields=('provider_id',), name='codereview_one_diff_of_id'),
            models.UniqueConstraint(fields=('review_task_id',), name='codereview_one_diff_of_task'),
        )
        indexes = (
            # Whatever lists are filtered and counted by.
            models.Index(
                fields=(
                    'created',
                    'id',
                    'repository',
                    'base_repository',
                    'head_repository',
                    'nb_issues',
                    'nb_issues_publishable',
                ),
                name='codereview_diff_created',
            ),
            models.Index(
                fields=('number',), name='codereview_diff_number', condition=Q(number__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f'Diff {self.provider_id}'


class Level(models.TextChoices):
    """How bad an issue is."""

    WARNING = 'warning'
    ERROR = 'error'


class Issue(Dated):
    """What an analyzer says of some text in a file, wherever the text stands. It never changes."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    path = models.CharField(max_length=250)
    level = models.CharField(max_length=20, choices=Level)
    analyzer_check = models.CharField('check', max_length=250, null=True)  # noqa: DJ001 contract
    message = models.TextField(null=True)  # noqa: DJ001 contract
    analyzer = models.CharField(max_length=50)
    hash = models.CharField(max_length=32)

    revisions = models.ManyToManyField(Revision, through='IssueLink', related_name='issues')
    diffs = models.ManyToManyField(Diff, through='IssueLink', related_name='issues')

    class Meta:
        ordering = ('created', 'id')
        constraints = (
            models.UniqueConstraint(fields=('hash',), name='codereview_one_issue_of_hash'),
        )
        indexes = (
            models.Index(fields=('path',), name='codereview_issue_path'),
            models.Index(fields=('created', 'id'), name='codereview_issue_created'),
        )

    def __str__(self) -> str:
        return f'{self.analyzer} in {self.path}'


class IssueLink(models.Model):
    """One occurrence of an issue: in a revision, perhaps in one diff of it, at a place."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name='links', db_index=False)
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name='links')
    diff = models.ForeignKey(
        Diff, on_delete=models.CASCADE, related_name='links', null=True, db_index=False
    )
    new_for_revision = models.BooleanField(null=True)
    in_patch = models.BooleanField(null=True)
    line = models.PositiveIntegerField(null=True)
    nb_lines = models.PositiveIntegerField(null=True)
    char = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ('id',)
        constraints = (
            # What was published once is not stored again. Null equals null here, as with NULLS NOT
            # DISTINCT, which SQLite and PostgreSQL before 15 lack.
            models.UniqueConstraint(
                'issue',
                'revision',
                Coalesce('diff', -1),
                Coalesce('line', -1),
                Coalesce('nb_lines', -1),
                Coalesce('char', -1),
                Coalesce(Cast('in_patch', models.IntegerField()), -1),
                Coalesce(Cast('new_for_revision', models.IntegerField()), -1),
                name='codereview_one_link_of_occurrence',
            ),
        )
        indexes = (
            models.Index(
                fields=('diff',), name='codereview_link_diff', condition=Q(diff__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f'{self.issue_id} in revision {self.revision_id}'


class Sighting(models.Model):
    """That an issue was seen in a repository, as the head or the base of a revision, and when last.

    An issue is counted in statistics since some day just where the last sighting is not older: so
    one day for each of them is enough to count distinct issues since any day.
    """

    pk = models.CompositePrimaryKey('issue', 'repository')
    # No constraints: triggers remove what the rows that these point at leave behind.
    repository = models.ForeignKey(
        Repository,
        on_delete=models.DO_NOTHING,
        related_name='+',
        db_constraint=False,
        db_index=False,
    )
    issue = models.ForeignKey(
        Issue,
        on_delete=models.DO_NOTHING,
        related_name='sightings',
        db_constraint=False,
        db_index=False,
    )
    # As the issue has them.
    analyzer = models.CharField(max_length=50)
    analyzer_check = models.CharField(max_length=250, null=True)  # noqa: DJ001 as the issue's
    first_day = models.DateField(help_text='When the issue was first stored, anywhere.')
    #: When the newest revision was made that has the issue in this head repository.
    last_day = models.DateField(null=True)
    #: The same of revisions in which it can be published.
    publishable_day = models.DateField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=('repository', 'analyzer', 'analyzer_check'),
                name='codereview_sighting_check',
                condition=Q(last_day__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f'{self.issue_id} in repository {self.repository_id}'


class Tally(models.Model):
    """Entries of a ledger, whose sums are how many issues there are.

    Triggers only ever add entries, so nobody waits for anybody; a task sums old ones up.
    """

    #: None for issues wherever they are seen.
    repository = models.ForeignKey(
        Repository,
        on_delete=models.DO_NOTHING,
        related_name='+',
        null=True,
        db_constraint=False,
        db_index=False,
    )
    analyzer = models.CharField(max_length=50)
    analyzer_check = models.CharField(max_length=250, null=True)  # noqa: DJ001 as the issue's
    day = models.DateField()
    #: Issues that were first stored on this day.
    first = models.IntegerField()
    #: Issues that were last seen on this day, with the repository as head.
    last = models.IntegerField()
    #: Issues that were last seen publishable on this day.
    publishable = models.IntegerField()

    class Meta:
        verbose_name_plural = 'tallies'
        indexes = (
            # Whatever is summed up, so that sums are made of the index alone.
            models.Index(
                fields=(
                    'repository',
                    'day',
                    'analyzer',
                    'analyzer_check',
                    'first',
                    'last',
                    'publishable',
                ),
                name='codereview_tally_sums',
            ),
        )

    def __str__(self) -> str:
        return f'{self.analyzer} on {self.day}'
