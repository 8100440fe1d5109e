"""The Django app of code review."""

from django.apps import AppConfig


class CodeReviewConfig(AppConfig):
    """Repositories, revisions, diffs, issues and where they occur."""

    name = 'services.codereview'
    label = 'codereview'
    verbose_name = 'Code review'

    def ready(self) -> None:
        from services.codereview import origins

        origins.connect()
