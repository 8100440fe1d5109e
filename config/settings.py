"""Django settings of the site, made from the environment (see docs/reference/environment.md)."""

from pathlib import Path

from backstay.services import Service
from backstay.settings import Environment, django_settings, load

BASE_DIR = Path(__file__).resolve().parent.parent

SERVICES = {
    'codereview': 'services.codereview',
    'contributors': 'services.contributors',
    'listsum': 'services.listsum',
}

BACKSTAY: Environment
BACKSTAY_SERVICES: tuple[Service, ...]

vars().update(django_settings(load(BASE_DIR), base_dir=BASE_DIR, services=SERVICES))
