"""Django's task API: part of Django from 6.0 on, the package django-tasks before."""

from typing import TYPE_CHECKING

from django import VERSION

if TYPE_CHECKING or VERSION < (6, 0):
    from django_tasks import TaskContext, TaskResult, TaskResultStatus, task_backends
    from django_tasks.backends.base import BaseTaskBackend as Backend
    from django_tasks.base import Task as DjangoTask
    from django_tasks.base import TaskError
    from django_tasks.exceptions import TaskResultDoesNotExist
    from django_tasks.signals import task_enqueued, task_finished, task_started

    LOGGER = 'django_tasks'
else:
    from django.tasks import TaskContext, TaskResult, TaskResultStatus, task_backends
    from django.tasks.backends.base import BaseTaskBackend as Backend
    from django.tasks.base import Task as DjangoTask
    from django.tasks.base import TaskError
    from django.tasks.exceptions import TaskResultDoesNotExist
    from django.tasks.signals import task_enqueued, task_finished, task_started

    LOGGER = 'django.tasks'

__all__ = [
    'Backend',
    'DjangoTask',
    'TaskContext',
    'TaskError',
    'TaskResult',
    'TaskResultDoesNotExist',
    'TaskResultStatus',
    'task_backends',
    'task_enqueued',
    'task_finished',
    'task_started',
]
