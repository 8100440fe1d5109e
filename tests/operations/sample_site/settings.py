"""Settings of the sample site; its files live in SAMPLE_BASE_DIR."""

import os
from pathlib import Path

from backstay.settings import Environment, django_settings, load

BASE_DIR = Path(os.environ['SAMPLE_BASE_DIR'])

BACKSTAY: Environment

vars().update(
    django_settings(load(BASE_DIR), base_dir=BASE_DIR, services={'sample': 'sample_site'})
)
