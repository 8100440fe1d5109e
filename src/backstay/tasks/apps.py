"""The Django app of the tasks."""

import logging

from django.apps import AppConfig


class TasksConfig(AppConfig):
    """Calls of tasks, and when the periodic ones are due."""

    name = 'backstay.tasks'
    label = 'tasks'
    verbose_name = 'Tasks'
    default_auto_field = 'django.db.models.BigAutoField'

    def ready(self) -> None:
        from backstay.tasks.django_api import LOGGER

        # Django's own lines repeat ours, and some versions put the arguments into them.
        logging.getLogger(LOGGER).setLevel(logging.CRITICAL + 1)
