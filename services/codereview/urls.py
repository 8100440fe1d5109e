"""The addresses of code review, under its prefix. The slash at the end belongs to them."""

from collections.abc import Iterator

from django.urls import URLPattern, path, re_path

from services.codereview.api import ReviewView
from services.codereview.checks import CheckDetail, CheckHistory, CheckStatistics
from services.codereview.comparison import MODES
from services.codereview.diffs import DiffDetail, DiffList, RevisionDiffDetail, RevisionDiffList
from services.codereview.issues import (
    ComparedIssueList,
    DiffIssueDetail,
    DiffIssueList,
    KnownIssueList,
)
from services.codereview.publishing import RevisionIssues
from services.codereview.repositories import RepositoryDetail, RepositoryList
from services.codereview.revisions import RevisionDetail, RevisionList
from services.codereview.root import Root


def _with_suffix(pattern: str, view: type[ReviewView]) -> Iterator[URLPattern]:
    """The address, and the same with the name of a format, such as `.json`, which no document
    tells of.
    """
    suffixed = view.as_view(schema=None)
    yield re_path(rf'^{pattern}\.(?P<format>[a-z0-9]+)/?$', suffixed)
    yield re_path(rf'^{pattern}/$', view.as_view())


_ID = '(?P<id>[^/.]+)'
_REVISION = '(?P<revision>[0-9]+)'
_DIFF = '(?P<diff>[0-9a-zA-Z-]+)'

urlpatterns = [
    path('', Root.as_view()),
    re_path(r'^\.(?P<format>[a-z0-9]+)/?$', Root.as_view(schema=None)),
    *_with_suffix('repository', RepositoryList),
    *_with_suffix(f'repository/{_ID}', RepositoryDetail),
    *_with_suffix('revision', RevisionList),
    *_with_suffix(f'revision/{_ID}', RevisionDetail),
    *_with_suffix(f'revision/{_REVISION}/diffs', RevisionDiffList),
    *_with_suffix(f'revision/{_REVISION}/diffs/{_ID}', RevisionDiffDetail),
    re_path(f'^revision/{_REVISION}/issues/$', RevisionIssues.as_view()),
    *_with_suffix('diff', DiffList),
    *_with_suffix(f'diff/{_ID}', DiffDetail),
    *_with_suffix(f'diff/{_DIFF}/issues', DiffIssueList),
    re_path(f'^diff/{_DIFF}/issues/(?P<mode>{"|".join(MODES)})/$', ComparedIssueList.as_view()),
    *_with_suffix(f'diff/{_DIFF}/issues/{_ID}', DiffIssueDetail),
    path('issues/<str:repository>/', KnownIssueList.as_view()),
    path('check/stats/', CheckStatistics.as_view()),
    path('check/history/', CheckHistory.as_view()),
    path('check/<str:repository>/<str:analyzer>/<path:check>/', CheckDetail.as_view()),
]
