"""The page of diffs: those of the last 90 days, searched and filtered as the API does."""

from django.http import HttpRequest

from services.codereview.diffs import filters_of
from services.codereview.pages.answers import Context, page
from services.codereview.pages.reading import asked, read_page, repositories
from services.codereview.resources import ListedDiffResource

SIZE = 25


@page('codereview/diffs.html')
def diffs_page(request: HttpRequest) -> Context:
    """The diffs that are left: two statements, three with a repository."""
    chosen = asked(request, 'search', 'repository', 'issues')
    return {
        'chosen': chosen,
        'repositories': repositories(request),
        'diffs': read_page(request, ListedDiffResource, filters_of(chosen), size=SIZE),
    }
