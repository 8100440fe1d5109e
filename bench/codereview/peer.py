"""The measured endpoints in plain Django REST Framework: generic views, serializers, the ORM.

They read the same tables, without the counters, sightings and tallies that triggers keep there, and
with care: relations are joined or fetched at once, counts of a page are subqueries of its rows,
filters are `EXISTS`.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncDate
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from services.codereview.models import Diff, Issue, IssueLink, Repository, Revision

PHABRICATOR = 'https://phabricator.services.mozilla.com'
PUBLISHABLE = Q(in_patch=True) | Q(issue__level='error')


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def window() -> datetime:
    return midnight(datetime.now(UTC).date() - timedelta(days=90))


class RepositorySerializer(serializers.ModelSerializer):
    class Meta:
        model = Repository
        fields = ('id', 'slug', 'url')


class RevisionSerializer(serializers.ModelSerializer):
    base_repository = serializers.CharField(source='base_repository.url')
    head_repository = serializers.CharField(source='head_repository.url')
    diffs_url = serializers.SerializerMethodField()
    issues_bulk_url = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Revision
        fields = (
            *('id', 'base_repository', 'head_repository', 'base_changeset', 'head_changeset'),
            *('provider', 'provider_id', 'title', 'bugzilla_id'),
            *('diffs_url', 'issues_bulk_url', 'url'),
        )

    def get_diffs_url(self, revision: Revision) -> str:
        return self.context['request'].build_absolute_uri(f'/v1/revision/{revision.pk}/diffs/')

    def get_issues_bulk_url(self, revision: Revision) -> str:
        return self.context['request'].build_absolute_uri(f'/v1/revision/{revision.pk}/issues/')

    def get_url(self, revision: Revision) -> str | None:
        if revision.provider_id is None:
            return None
        if revision.provider == 'phabricator':
            return f'{PHABRICATOR}/D{revision.provider_id}'
        return f'{revision.base_repository.url}/issues/{revision.provider_id}'


class DiffSerializer(serializers.ModelSerializer):
    revision = RevisionSerializer()
    repository = RepositorySerializer()
    issues_url = serializers.SerializerMethodField()
    nb_issues = serializers.IntegerField(source='n_issues')
    nb_issues_publishable = serializers.IntegerField(source='n_publishable')
    nb_warnings = serializers.IntegerField(source='n_warnings')
    nb_errors = serializers.IntegerField(source='n_errors')

    class Meta:
        model = Diff
        fields = (
            *('id', 'provider_id', 'revision', 'review_task_id', 'repository', 'mercurial_hash'),
            *('issues_url', 'nb_issues', 'nb_issues_publishable', 'nb_warnings', 'nb_errors'),
            'created',
        )

    def get_issues_url(self, diff: Diff) -> str:
        return self.context['request'].build_absolute_uri(f'/v1/diff/{diff.provider_id}/issues/')


def links_of_diff(condition: Q) -> Coalesce:
    """How many links of the diff there are."""
    links = IssueLink.objects.filter(condition, diff=OuterRef('pk')).order_by()
    counted = links.values('diff').annotate(n=Count('pk')).values('n')
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


class DiffList(generics.ListAPIView):
    serializer_class = DiffSerializer

    def get_queryset(self) -> QuerySet[Diff]:
        asked = self.request.query_params
        found = Diff.objects.filter(created__gte=window())
        if 'repository' in asked:
            slug = asked['repository']
            found = found.filter(
                Q(repository__slug=slug)
                | Q(revision__base_repository__slug=slug)
                | Q(revision__head_repository__slug=slug)
            )
        if asked.get('issues') == 'publishable':
            links = IssueLink.objects.filter(PUBLISHABLE, diff=OuterRef('pk'))
            found = found.filter(Exists(links))
        return (
            found.annotate(
                n_issues=links_of_diff(Q()),
                n_publishable=links_of_diff(PUBLISHABLE),
                n_warnings=links_of_diff(Q(issue__level='warning')),
                n_errors=links_of_diff(Q(issue__level='error')),
            )
            .select_related('repository', 'revision__base_repository', 'revision__head_repository')
            .order_by('-id')
        )


class IssueSerializer(serializers.ModelSerializer):
    id = serializers.UUIDField(source='issue.id')
    hash = serializers.CharField(source='issue.hash')
    analyzer = serializers.CharField(source='issue.analyzer')
    path = serializers.CharField(source='issue.path')
    level = serializers.CharField(source='issue.level')
    check = serializers.CharField(source='issue.analyzer_check')
    message = serializers.CharField(source='issue.message')
    publishable = serializers.SerializerMethodField()

    class Meta:
        model = IssueLink
        fields = (
            *('id', 'hash', 'analyzer', 'path', 'level', 'check', 'message', 'publishable'),
            *('in_patch', 'new_for_revision', 'line', 'nb_lines', 'char'),
        )

    def get_publishable(self, link: IssueLink) -> bool:
        return bool(link.in_patch) or link.issue.level == 'error'


class DiffIssues(generics.ListAPIView):
    serializer_class = IssueSerializer

    def get_queryset(self) -> QuerySet[IssueLink]:
        diff = get_object_or_404(Diff, provider_id=self.kwargs['diff'])
        return diff.links.select_related('issue').order_by('issue__created', 'pk')


class KnownIssueSerializer(serializers.ModelSerializer):
    class Meta:
        model = Issue
        fields = ('id', 'hash')


class KnownIssues(generics.ListAPIView):
    serializer_class = KnownIssueSerializer

    def get_queryset(self) -> QuerySet[Issue]:
        repository = get_object_or_404(Repository, slug=self.kwargs['slug'])
        links = IssueLink.objects.filter(issue=OuterRef('pk'), revision__head_repository=repository)
        found = Issue.objects.filter(Exists(links), path=self.request.query_params['path'])
        return found.order_by('created', 'id')


class StatisticSerializer(serializers.Serializer):
    repository = serializers.CharField()
    analyzer = serializers.CharField()
    check = serializers.CharField(source='analyzer_check')
    total = serializers.IntegerField()
    publishable = serializers.IntegerField()


class Statistics(generics.ListAPIView):
    serializer_class = StatisticSerializer

    def get_queryset(self) -> Any:
        asked = self.request.query_params.get('since')
        since = midnight(date.fromisoformat(asked)) if asked else window()
        grouped = (
            IssueLink.objects.filter(revision__created__gte=since)
            .order_by()
            .values(
                repository=F('revision__head_repository__slug'),
                analyzer=F('issue__analyzer'),
                analyzer_check=F('issue__analyzer_check'),
            )
            .annotate(
                total=Count('issue', distinct=True),
                publishable=Count('issue', distinct=True, filter=PUBLISHABLE),
            )
        )
        last = F('analyzer_check').asc(nulls_last=True)
        return grouped.order_by('-total', 'repository', 'analyzer', last)


class History(APIView):
    def get(self, request: Request) -> Response:
        days = Issue.objects.order_by().values(date=TruncDate('created', tzinfo=UTC))
        return Response(list(days.annotate(total=Count('pk')).order_by('date')))


class NewIssue(serializers.Serializer):
    hash = serializers.CharField(max_length=32)
    analyzer = serializers.CharField(max_length=50)
    path = serializers.CharField(max_length=250)
    level = serializers.ChoiceField(choices=['warning', 'error'])
    check = serializers.CharField(max_length=250, required=False, allow_null=True)
    message = serializers.CharField(required=False, allow_null=True)
    in_patch = serializers.BooleanField(required=False, allow_null=True)
    new_for_revision = serializers.BooleanField(required=False, allow_null=True)
    line = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    nb_lines = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    char = serializers.IntegerField(min_value=0, required=False, allow_null=True)


class NewIssues(serializers.Serializer):
    diff_provider_id = serializers.SlugRelatedField(
        queryset=Diff.objects.all(), slug_field='provider_id', required=False, allow_null=True
    )
    issues = NewIssue(many=True)


ISSUE = ('hash', 'analyzer', 'path', 'level', 'message')
PLACE = ('in_patch', 'new_for_revision', 'line', 'nb_lines', 'char')


class Bulk(APIView):
    @transaction.atomic
    def post(self, request: Request, revision: int) -> Response:
        owner = get_object_or_404(Revision, pk=revision)
        body = NewIssues(data=request.data)
        body.is_valid(raise_exception=True)
        elements = body.validated_data['issues']
        diff = body.validated_data.get('diff_provider_id')
        new = [
            Issue(analyzer_check=each.get('check'), **{name: each.get(name) for name in ISSUE})
            for each in elements
        ]
        Issue.objects.bulk_create(new, ignore_conflicts=True)
        issues = Issue.objects.in_bulk([each['hash'] for each in elements], field_name='hash')
        links = [
            IssueLink(
                issue=issues[each['hash']],
                revision=owner,
                diff=diff,
                **{name: each.get(name) for name in PLACE},
            )
            for each in elements
        ]
        IssueLink.objects.bulk_create(links, ignore_conflicts=True)
        shown = IssueSerializer(links, many=True).data
        name = diff.provider_id if diff else None
        return Response({'diff_provider_id': name, 'issues': shown}, status=201)


class IssueAdmin(admin.ModelAdmin):
    list_display = ('id', 'path', 'level', 'analyzer', 'analyzer_check', 'created')
    list_filter = ('analyzer',)
    search_fields = ('path', 'analyzer', 'analyzer_check', 'hash')
    list_per_page = 50
    ordering = ('-created', '-id')


pages = admin.AdminSite()
pages.register(Issue, IssueAdmin)

urlpatterns = [
    path('v1/diff/', DiffList.as_view()),
    path('v1/diff/<slug:diff>/issues/', DiffIssues.as_view()),
    path('v1/issues/<slug:slug>/', KnownIssues.as_view()),
    path('v1/check/stats/', Statistics.as_view()),
    path('v1/check/history/', History.as_view()),
    path('v1/revision/<int:revision>/issues/', Bulk.as_view()),
    path('admin/', pages.urls),
]
