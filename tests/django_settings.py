"""The site's settings, and the apps whose resources the platform's tests read."""

from config.settings import *  # noqa: F403 a settings module is a namespace
from config.settings import DATABASES
from config.settings import INSTALLED_APPS as SITE_APPS

_TESTED = (
    'backstay.resources',
    'tests.bookshop',
    'tests.cabinet',
    'tests.catalogue',
    'tests.clinic',
    'tests.depot',
    'tests.lending',
)

INSTALLED_APPS = [*dict.fromkeys((*SITE_APPS, *_TESTED))]
# A site waits for a second, and a test may run on a busy machine.
DATABASES['default'].get('OPTIONS', {}).get('pool', {})['timeout'] = 10
PASSWORD_HASHERS = ['tests.hashing.QuickArgon2']
#: Their tables are made of the models as they stand.
MIGRATION_MODULES = dict.fromkeys(('bookshop', 'catalogue', 'clinic', 'depot', 'lending'))
#: The catalogue has a field called `count`, to see what a client then has to write.
SILENCED_SYSTEM_CHECKS = ['backstay.W007']
