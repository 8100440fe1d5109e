"""Tasks: functions that run later, in a worker, at least once, and only if their caller commits."""

from backstay.tasks.arguments import ArgumentsError
from backstay.tasks.declaration import Task, task
from backstay.tasks.django_api import TaskContext
from backstay.tasks.forgetting import forget
from backstay.tasks.schedules import periodic
from backstay.tasks.standing import current_caller

__all__ = ['ArgumentsError', 'Task', 'TaskContext', 'current_caller', 'forget', 'periodic', 'task']
