"""The page of diffs: those of the last 90 days, searched and filtered as the API does."""

from django.http import HttpRequest

from services.codereview.diffs import filters_of
from services.codereview.pages.answers import Context, page
from services.codereview.pages.reading import asked, read_page, repositories
from services.codereview.resources import ListedDiffResource

SIZE = 25
_MASK = (
    '{id,provider_id,number,revision,review_task_id,repository,mercurial_hash,nb_issues,'
    'nb_issues_publishable,nb_warnings,nb_errors,created,undiffed,undiffed_publishable}'
)


@page('codereview/diffs.html')
def diffs_page(request: HttpRequest) -> Context:
    """The diffs that are left: two statements, one more for a repository, and one for a text."""
    chosen = asked(request, 'search', 'repository', 'issues')
    return {
        'chosen': chosen,
        'repositories': repositories(request),
        'diffs': read_page(
            request,
            ListedDiffResource,
            filters_of(chosen, undiffed=True),
            size=SIZE,
            mask=_MASK,
        ),
    }
