"""The environment of a process, and the Django settings made from it."""

from backstay.settings.django import django_settings
from backstay.settings.environment import Environment, SettingsError, load

__all__ = ['Environment', 'SettingsError', 'django_settings', 'load']
