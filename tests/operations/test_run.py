"""`backstay run` as a developer uses it."""

import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

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
    prepared = first.processor_seconds()
    assert first.stop(signal.SIGINT, group=True) == 0
    assert 'Traceback' not in first.output()

    port = first.port
    second = start_site('run', base_dir=first.base_dir, port=port)
    # It prepares nothing again; what else the machine does counts for both.
    assert second.processor_seconds() < prepared
    assert password_in(second.output()) == password
    assert 'Applied' not in second.output()
    assert second.stop() == 0
    with sqlite3.connect(first.base_dir / 'var/db.sqlite3') as database:
        assert database.execute('SELECT name FROM auth_group').fetchall() == [('demo 1',)]
    database.close()


def test_it_runs_tasks_beside_the_site_and_ends_with_it(start_site: StartSite) -> None:
    site = start_site('run')
    name = 'backstay.tasks.upkeep.forget_finished_jobs'
    with closing(
        sqlite3.connect(site.base_dir / 'var/db.sqlite3', isolation_level=None)
    ) as database:
        due = "UPDATE tasks_periodictask SET next_run_at = '2020-01-01 00:00:00' WHERE name = ?"
        wait_for(lambda: database.execute(due, (name,)).rowcount)
        done = "SELECT 1 FROM tasks_job WHERE state = 'done' AND task = ?"
        wait_for(lambda: database.execute(done, (name,)).fetchall())
    assert f'backstay_tasks_total{{outcome="done",task="{name}"}} 1.0' in site.get('/metrics').text
    children = site.workers()
    assert len(children) == 3  # the site, a worker, and what watches the code
    started = time.monotonic()
    assert site.stop(signal.SIGINT, group=True) == 0
    assert time.monotonic() - started < 5
    assert not any(Path(f'/proc/{child}').exists() for child in children)
    assert 'Traceback' not in site.output()


def test_a_worker_does_not_outlive_a_site_that_was_killed(start_site: StartSite) -> None:
    site = start_site('run')
    named = wait_for(lambda: re.search(r'working .*worker=[^:\s]+:(\d+):', site.output()))
    web, worker = site.workers(), int(named[1])
    web.remove(worker)
    site.stop(signal.SIGKILL)
    for process in web:  # these go on: others may still be served
        os.kill(process, signal.SIGKILL)
    wait_for(lambda: not _runs(worker))


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """What the condition gives once it is true."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, 'it did not come true'
        time.sleep(0.02)
    return value


def _runs(pid: int) -> bool:
    """Whether the process is there, and more than a name that its parent has not asked for."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


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
