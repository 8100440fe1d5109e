"""The pytest plugin: whatever pytest runs is ENV=test unless the caller says otherwise.

Importing is enough: pytest loads plugins before pytest-django reads the settings.
"""

import os

os.environ.setdefault('ENV', 'test')
