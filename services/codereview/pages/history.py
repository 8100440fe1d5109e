"""The page of history: how many issues were first found on each day, as a chart and a table."""

from django.http import HttpRequest

from services.codereview.checks import history, since_of
from services.codereview.moments import window_start
from services.codereview.pages.answers import Context, page
from services.codereview.pages.reading import asked, checks_found, repositories


@page('codereview/history.html')
def history_page(request: HttpRequest) -> Context:
    """The days with any, the newest first: three statements.

    They begin 90 days ago; where the form was sent without a day, with the first of all.
    """
    chosen = asked(request, 'repository', 'analyzer', 'check', 'since')
    since = since_of(chosen.get('since', '')) if 'since' in request.GET else window_start()
    days = [*history(chosen, since)][::-1]
    return {
        'chosen': chosen,
        'since': since,
        'repositories': repositories(request),
        'checks': checks_found(),
        'days': days,
        'total': sum(total for _, total in days),
        'most': max(days, key=lambda day: day[1], default=None),
    }
