"""The addresses of the pages, under their prefix."""

from django.urls import path, re_path

from services.codereview.pages.answers import nothing_here
from services.codereview.pages.checks import check_page, checks_page
from services.codereview.pages.diff import diff_page
from services.codereview.pages.diffs import diffs_page
from services.codereview.pages.history import history_page
from services.codereview.pages.revision import revision_page, revisions_page

app_name = 'review'
urlpatterns = [
    path('', diffs_page, name='diffs'),
    re_path(r'^diffs/(?P<name>[0-9A-Za-z-]+)/$', diff_page, name='diff'),
    path('revisions/', revisions_page, name='revisions'),
    re_path(r'^revisions/(?P<number>[0-9]+)/$', revision_page, name='revision'),
    path('checks/', checks_page, name='checks'),
    path('checks/issues/', check_page, name='check'),
    path('history/', history_page, name='history'),
    # With a slash at its end, so that addresses without one are still redirected.
    re_path(r'^.*/$', nothing_here),
]
