"""The admin pages of code review. Accounts have theirs on the platform.

Tables may have millions of rows: no page counts them all, and lists end at MAX_LISTED_ROWS.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.core.validators import URLValidator, validate_slug
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from backstay.resources import DeletesInSteps
from services.codereview.api import is_storable
from services.codereview.models import (
    Diff,
    Issue,
    IssueLink,
    Provider,
    Repository,
    Revision,
    Tally,
)

#: Rows that a list leads to; filters and search lead to others.
MAX_LISTED_ROWS = 10_000
#: The newest rows, among which parts of texts are looked for.
MAX_SEARCHED_ROWS = 5_000
#: Rows of one name that a search leads to.
MAX_NAMED_ROWS = 1_000


class BoundedPaginator(Paginator):
    """Counts no further than MAX_LISTED_ROWS."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or MAX_LISTED_ROWS."""
        rows: Any = self.object_list
        return int(rows[:MAX_LISTED_ROWS].count())


class BoundedAdmin(admin.ModelAdmin):
    """A list of a large table."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0

    def named(self, _text: str) -> QuerySet[Any]:
        """The rows that are called so, by columns with an index."""
        nothing: QuerySet[Any] = self.model._default_manager.none()
        return nothing

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that are called so; or else those among the newest that have the words."""
        text = search_term.strip()
        if not text or not is_storable(text):
            return super().get_search_results(request, queryset, search_term)
        if named := list(self.named(text).values_list('pk', flat=True)[:MAX_NAMED_ROWS]):
            return queryset.filter(pk__in=named), False
        order: Any = self.ordering
        column = order[0].removeprefix('-')
        behind = self.model._default_manager.order_by(*order).values_list(column, flat=True)
        if bound := list(behind[MAX_SEARCHED_ROWS : MAX_SEARCHED_ROWS + 1]):
            queryset = queryset.filter(**{f'{column}__gt': bound[0]})
        return super().get_search_results(request, queryset, search_term)


class RepositoryForm(forms.ModelForm):
    """A repository on any host; its slug is one for addresses."""

    class Meta:
        model = Repository
        fields = ('slug', 'url')

    def clean_slug(self) -> str:
        """Letters, digits, hyphens and underscores; what a revision created may also have dots."""
        slug: str = self.cleaned_data['slug']
        if slug != self.initial.get('slug'):
            validate_slug(slug)
        return slug

    def clean_url(self) -> str:
        """An address of the web."""
        url: str = self.cleaned_data['url']
        try:
            URLValidator(schemes=['http', 'https'])(url)
        except ValidationError:
            if url != self.initial.get('url'):
                raise
        return url


@admin.register(Repository)
class RepositoryAdmin(DeletesInSteps, admin.ModelAdmin):
    """Repositories can be added for hosts from which none is created by itself."""

    form = RepositoryForm
    list_display = ('slug', 'url')
    search_fields = ('slug', 'url')


class DiffsInline(admin.TabularInline):
    """The diffs of a revision, to be looked at."""

    model = Diff
    fields = ('id', 'provider_id', 'review_task_id', 'mercurial_hash', 'repository', 'created')
    readonly_fields = fields
    extra = 0
    can_delete = False
    ordering = ('created',)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Diff]:
        """With their repositories: one statement."""
        return super().get_queryset(request).select_related('repository')

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """The bot adds them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """They stay as they are."""
        return False


@admin.register(Revision)
class RevisionAdmin(DeletesInSteps, BoundedAdmin):
    """Revisions, with their diffs."""

    list_display = (
        'id',
        'provider',
        'provider_id',
        'title',
        'bugzilla_id',
        'base_repository',
        'head_repository',
    )
    list_display_links = ('id', 'title')
    list_filter = ('base_repository', 'head_repository', 'provider')
    list_select_related = ('base_repository', 'head_repository')
    search_fields = ('title',)
    search_help_text = (
        'By number of the provider or of the bug; or by a part of the title, among the newest '
        f'{MAX_SEARCHED_ROWS:,} revisions'
    )
    ordering = ('-id',)
    inlines = (DiffsInline,)

    def named(self, _text: str) -> QuerySet[Revision]:
        """The revisions with this number, of a provider or of a bug."""
        number = _text.lstrip('Dd#')
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            return Revision.objects.none()
        own = Q(provider__in=Provider.values, provider_id=number)
        return Revision.objects.filter(own | Q(bugzilla_id=number))


class AnalyzerFilter(admin.SimpleListFilter):
    """The analyzers that have found anything, from the tallies: issues are too many to ask."""

    title = 'analyzer'
    parameter_name = 'analyzer'

    def lookups(
        self,
        request: HttpRequest,  # noqa: ARG002 the admin's signature
        model_admin: Any,  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        """Their names."""
        found = Tally.objects.filter(repository=None).order_by('analyzer')
        return [(name, name) for name in found.values_list('analyzer', flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Issue]) -> QuerySet[Issue]:  # noqa: ARG002
        """The issues of the one that was chosen."""
        return queryset.filter(analyzer=self.value()) if self.value() else queryset


@admin.register(Issue)
class IssueAdmin(DeletesInSteps, BoundedAdmin):
    """Issues, the newest first. What was published stays as it is."""

    list_display = ('id', 'path', 'level', 'analyzer', 'analyzer_check', 'created')
    list_filter = (AnalyzerFilter,)
    search_fields = ('path', 'analyzer', 'analyzer_check', 'hash')
    search_help_text = (
        f'By path or hash; or by a part of path, analyzer, check or hash, among the newest '
        f'{MAX_SEARCHED_ROWS:,} issues'
    )
    ordering = ('-created', '-id')
    fields = (
        'id',
        'path',
        'level',
        'analyzer',
        'analyzer_check',
        'message',
        'hash',
        'created',
        'updated',
    )
    readonly_fields = fields

    def named(self, _text: str) -> QuerySet[Issue]:
        """The issues with just this path or hash."""
        return Issue.objects.filter(Q(hash=_text) | Q(path=_text))

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 its signature
        """The bot publishes them."""
        return False


@admin.register(Diff, IssueLink)
class PagelessAdmin(admin.ModelAdmin):
    """No page of their own: they go with what they belong to, by whoever may delete them."""

    def has_module_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 its signature
        """Not in the index."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """No list, and no page of one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """They stay as they are."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 its signature
        """The bot adds them."""
        return False
