"""`backstay run` as a developer uses it."""

import re
import signal
import sqlite3
from pathlib import Path

import httpx
import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from sample_site.running import StartSite
from sample_site.service import service as sample

from backstay.identity.models import Account
from backstay.operations.management.commands.run import DEMO_ADMIN, demo_admin, load_demo
from backstay.operations.models import DemoLoad


def test_it_prepares_serves_stops_and_starts_again_with_its_data(start_site: StartSite) -> None:
    first = start_site('run')
    shown = first.output()
    for path in ('/docs/', '/sample/docs', '/admin/', '/readyz'):
        assert first.url + path in shown
        assert first.get(path, follow_redirects=True).status_code == 200
    password = password_in(shown)
    assert sign_in(first.url, password)
    assert first.stop(signal.SIGINT, group=True) == 0
    assert 'Traceback' not in first.output()

    port = first.port
    second = start_site('run', base_dir=first.base_dir, port=port)
    assert second.processor_seconds() < 3  # other work on the machine does not count
    assert password_in(second.output()) == password
    assert 'Applied' not in second.output()
    assert second.stop() == 0
    with sqlite3.connect(first.base_dir / 'var/db.sqlite3') as database:
        assert database.execute('SELECT name FROM auth_group').fetchall() == [('demo 1',)]
    database.close()


def password_in(output: str) -> str:
    found = re.search(rf'{re.escape(DEMO_ADMIN)}\s+(\S+)', output)
    assert found, output
    return found[1]


def sign_in(url: str, password: str) -> bool:
    with httpx.Client(base_url=url) as client:
        client.get('/admin/login/')
        form = {
            'username': DEMO_ADMIN,
            'password': password,
            'csrfmiddlewaretoken': client.cookies['csrftoken'],
        }
        return client.post('/admin/login/?next=/admin/', data=form).status_code == 302


def test_it_is_for_local_only() -> None:
    with pytest.raises(CommandError, match='run is for local, not test; use serve'):
        call_command('run')


@pytest.mark.django_db
def test_demo_data_is_loaded_once() -> None:
    assert load_demo(sample)
    assert not load_demo(sample)
    assert Group.objects.count() == 1


@pytest.mark.django_db
def test_demo_data_that_fails_leaves_nothing_and_is_tried_again() -> None:
    from dataclasses import replace

    Group.objects.create(name='demo 2')  # the loader will want this name
    with pytest.raises(Exception, match=r'(?i)unique'):
        load_demo(replace(sample, demo='sample_site.demo.load'))
    assert not DemoLoad.objects.exists()


@pytest.mark.django_db
def test_the_demo_admin_keeps_its_password(tmp_path: Path) -> None:
    path = tmp_path / 'demo-password'
    password = demo_admin(path)
    assert demo_admin(path) == password
    assert Account.objects.get().check_password(password)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.django_db
def test_a_new_database_gets_the_admin_of_the_kept_password(tmp_path: Path) -> None:
    password = demo_admin(tmp_path / 'demo-password')
    Account.objects.all().delete()
    assert demo_admin(tmp_path / 'demo-password') == password
    assert Account.objects.get().is_superuser


@pytest.mark.django_db
def test_a_password_that_somebody_changed_is_not_told_wrongly(tmp_path: Path) -> None:
    password = demo_admin(tmp_path / 'demo-password')
    account = Account.objects.get()
    account.set_password('another password')
    account.save()
    assert password not in demo_admin(tmp_path / 'demo-password')
    account.refresh_from_db()
    assert account.check_password('another password')
