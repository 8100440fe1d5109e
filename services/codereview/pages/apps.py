"""The Django app of the pages: templates and static files, no models."""

from django.apps import AppConfig


class CodeReviewPagesConfig(AppConfig):
    """Server-rendered pages of code review."""

    name = 'services.codereview.pages'
    label = 'codereview_pages'
    verbose_name = 'Code review pages'
