"""What code review stores: repositories, revisions, diffs, issues, and where issues occur.

Some things are kept by triggers of the database (`migrations/_triggers_of_*.py`), so that they are
right whoever writes: the counters of diffs and revisions, the repositories of a diff, what it is
searched by (`DiffText`), `Sighting` and `Tally`.
"""

from urllib.parse import urlsplit
from uuid import uuid4

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Coalesce, Length
from django.utils import timezone

from backstay.engine import Bytewise
from services.codereview.options import option


class Dated(models.Model):
    """A row that knows when it was made and when it was last saved."""

    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Counted(models.Model):
    """Counters of links: of diffs those that point there, of revisions those of no diff."""

    nb_issues = models.PositiveIntegerField(default=0, editable=False)
    nb_issues_publishable = models.PositiveIntegerField(default=0, editable=False)
    nb_warnings = models.PositiveIntegerField(default=0, editable=False)
    nb_errors = models.PositiveIntegerField(default=0, editable=False)

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


class Revision(Dated, Counted):
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
            models.Index(
                fields=('bugzilla_id',),
                name='codereview_rev_bug',
                condition=Q(bugzilla_id__isnull=False),
            ),
            # The order of the list, which is that of bytes on every engine.
            models.Index(Bytewise(F('provider')), 'provider_id', 'id', name='codereview_rev_order'),
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


class Diff(Dated, Counted):
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


class DiffText(models.Model):
    """The text that a diff is searched by: its numbers, ids and title, as triggers keep them.

    It stands beside the diff, whose counters change with every bulk: on PostgreSQL it has an index
    of trigrams (`pg_trgm`), which is dear to write.
    """

    diff = models.OneToOneField(
        Diff,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        related_name='searched',
        db_constraint=False,
    )
    text = models.TextField()

    def __str__(self) -> str:
        return self.text


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
            models.Index(fields=('analyzer', 'created', 'id'), name='codereview_issue_analyzer'),
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


#: The repository of a sighting that stands for all repositories; there is none with this key.
EVERYWHERE = 0


class Sighting(models.Model):
    """That an issue was seen in a repository, as the head or the base of a revision, and when last.

    An issue is counted in statistics since some day just where the last sighting is not older: so
    one day for each of them is enough to count distinct issues since any day. Each issue also has a
    sighting of the repository 0 (EVERYWHERE), which counts what occurs in several just once.
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
    created = models.DateTimeField(help_text='When the issue was first stored, anywhere.')
    #: When the newest revision was made that has the issue in this head repository.
    last_day = models.DateField(null=True)
    #: The same of revisions in which it can be published.
    publishable_day = models.DateField(null=True)
    #: The latest occurrence in this head repository; None where it never was one.
    last_link = models.ForeignKey(
        IssueLink,
        on_delete=models.DO_NOTHING,
        related_name='+',
        null=True,
        db_constraint=False,
        db_index=False,
    )
    #: Whether some occurrence in any repository can be published.
    is_publishable = models.BooleanField(default=False)

    class Meta:
        indexes = (
            # Lists of a check, of all its issues and of those that can or cannot be published, and
            # of a repository, in the order in which they are shown.
            models.Index(
                fields=('repository', 'analyzer', 'analyzer_check', 'created', 'issue'),
                name='codereview_sighting_check',
                condition=Q(last_link__isnull=False),
            ),
            models.Index(
                fields=(
                    'repository',
                    'analyzer',
                    'analyzer_check',
                    'is_publishable',
                    'created',
                    'issue',
                ),
                name='codereview_sighting_publish',
                condition=Q(last_link__isnull=False),
            ),
            models.Index(
                fields=('repository', 'created', 'issue'),
                name='codereview_sighting_order',
                condition=Q(last_link__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f'{self.issue_id} in repository {self.repository_id}'


class Tally(models.Model):
    """Entries of a ledger, whose sums are how many issues there are.

    Triggers only ever add entries, so nobody waits for anybody; a task adds them to the one entry
    of their key that is their sum, and deletes them.
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
    #: Whether it is the sum of its key. Whoever counts counts sums and other entries alike.
    is_sum = models.BooleanField(default=False)
    #: Issues that were first stored on this day.
    first = models.IntegerField()
    #: Issues that were last seen on this day, with the repository as head.
    last = models.IntegerField()
    #: Issues that were last seen publishable on this day.
    publishable = models.IntegerField()
    #: Issues that were first stored on this day, of those that have the repository as head.
    found = models.IntegerField(default=0)
    #: Those of them of which some occurrence anywhere can be published.
    found_publishable = models.IntegerField(default=0)

    class Meta:
        verbose_name_plural = 'tallies'
        constraints = (
            # Null equals null here, and is no text.
            models.UniqueConstraint(
                Coalesce('repository', 0),
                'analyzer',
                Coalesce('analyzer_check', Value('')),
                Coalesce(Length('analyzer_check'), -1),
                'day',
                name='codereview_one_sum_of_key',
                condition=Q(is_sum=True),
            ),
        )
        indexes = (
            # Whatever is summed up, so that sums are made of the index alone.
            models.Index(
                fields=(
                    'repository',
                    'analyzer',
                    'analyzer_check',
                    'day',
                    'first',
                    'last',
                    'publishable',
                    'found',
                    'found_publishable',
                ),
                name='codereview_tally_sums',
            ),
            # What the task has not summed up yet.
            models.Index(
                fields=('id',), name='codereview_tally_entries', condition=Q(is_sum=False)
            ),
        )

    def __str__(self) -> str:
        return f'{self.analyzer} on {self.day}'
