"""The WSGI application that every server runs."""

import os

from django.core.wsgi import get_wsgi_application

from backstay.operations.proxies import trust_proxies

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')

application = trust_proxies(get_wsgi_application())
