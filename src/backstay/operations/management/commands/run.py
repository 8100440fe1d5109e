"""`backstay run`: everything that a developer needs to see the site, in one command."""

import os
import secrets
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from backstay.operations.management.commands.serve import (
    claim,
    forget_connections,
    serve,
    server_at,
    server_of,
    url_host,
)
from backstay.operations.releasing import apply_missing
from backstay.operations.reloading import Reloader
from backstay.seeding.errors import SeedError
from backstay.seeding.plan import make_plan, seeds_of
from backstay.services import Service, mounted

DEMO_ADMIN = 'admin@example.com'


class Command(BaseCommand):
    """Migrate, load demo data once, and serve."""

    help = 'Local only: migrate, load demo data once, say where everything is, and serve.'
    requires_system_checks = ()  # run below, after the database exists

    def handle(self, *_args: Any, **_options: Any) -> None:
        if settings.BACKSTAY.env != 'local':
            raise CommandError(f'ENV: run is for local, not {settings.BACKSTAY.env}; use serve')
        server = server_of(settings.BACKSTAY)
        host, port = claim(server.host, server.port)
        try:
            self.check()
            (settings.BASE_DIR / 'var').mkdir(exist_ok=True)
            if count := apply_missing():
                self.stdout.write(f'Applied {count} migrations.')
            for service in mounted():
                if load_demo(service):
                    self.stdout.write(f'Loaded the demo data of {service.name}.')
            self._tell(f'http://{url_host(host)}:{port}')
            forget_connections()
            # Imported here: the metrics of tasks must know first where to count.
            from backstay.tasks.worker import beside

            with beside(), Reloader() as reloader:
                code = serve(server_at(server, host, port))
                is_changed = reloader.has_ended_the_site
        except SeedError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:  # before the server took over
            sys.exit(130)
        if is_changed:
            os.environ['PORT'] = str(port)
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 ourselves again
        if code:
            sys.exit(code)

    def _tell(self, site: str) -> None:
        """Print where everything is, and how to sign in to the admin."""
        password = demo_admin(settings.BASE_DIR / 'var' / 'demo-password')
        docs = [(each.name, each.docs_path) for each in mounted() if each.docs_path]
        lines = [
            ('docs', f'{site}/docs/'),
            *((name, f'{site}/{path}') for name, path in docs),
            ('admin', f'{site}/admin/   {DEMO_ADMIN}   {password}'),
            ('health', f'{site}/readyz'),
        ]
        self.stdout.write(f'Serving {", ".join(each.name for each in mounted())} on {site}')
        for name, value in lines:
            self.stdout.write(f'  {name:13} {value}')
        self.stdout.write('It starts again when code changes.')
        self.stdout.write('Ctrl-C stops it.')
        self.stdout.flush()


def load_demo(service: Service) -> bool:
    """Load the demo data of the service unless it was ever loaded; return whether it was now.

    Seeds are loaded as `backstay seed --size small` does, where nobody has written anything yet.
    Data and record are one transaction: a loader that fails is tried again by the next run.
    """
    from backstay.operations.models import DemoLoad

    has_any = service.seeds or service.demo
    if not has_any or DemoLoad.objects.filter(service=service.name).exists():
        return False
    with transaction.atomic():
        DemoLoad.objects.create(service=service.name)
        if service.seeds:
            from backstay.seeding.loading import is_untouched, load

            # The dates end today, because services show what is recent.
            today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
            plan = make_plan(seeds_of([service]), size='small', until=today)
            if is_untouched(plan):
                load(plan)
        if service.demo:
            import_string(service.demo)()
    return True


def demo_admin(path: Path) -> str:
    """Return the password of the demo admin, kept in the file at `path`; make a missing admin.

    Somebody may have given the account another password, which nobody can read: then a text says
    so instead.
    """
    if path.exists():
        password = path.read_text().strip()
    else:
        password = secrets.token_urlsafe(12)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'w') as file:
            file.write(f'{password}\n')
    accounts = get_user_model()._default_manager
    account = accounts.filter(**{get_user_model().USERNAME_FIELD: DEMO_ADMIN}).first()
    if account is None:
        accounts.create_superuser(DEMO_ADMIN, password)
        return password
    return password if account.check_password(password) else '(the password that you gave it)'
