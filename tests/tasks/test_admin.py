"""The page of jobs in the admin, and the command for dead letters."""

import io
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backstay.identity.models import Account
from backstay.tasks.models import Job, JobState
from backstay.tasks.periods import register_periods
from tests.tasks.conftest import states
from tests.tasks.sample.tasks import fail, mark

pytestmark = pytest.mark.django_db
JOBS = '/admin/tasks/job/'


@pytest.fixture
def admin(client: Client) -> Client:
    """Signed in as who may do everything."""
    client.force_login(Account.objects.create_superuser('root@example.com', 'a long password'))
    return client


@pytest.fixture
def staff(client: Client) -> Client:
    """Signed in as who may only look."""
    from django.contrib.auth.models import Permission

    account = Account.objects.create_user('staff@example.com', 'a long password', is_staff=True)
    account.user_permissions.add(Permission.objects.get(codename='view_job'))
    client.force_login(account)
    return client


def dead_letter(message: str = 'no') -> Job:
    """A job after its last try."""
    call = fail.enqueue(message)
    Job.objects.filter(pk=call.id).update(
        state=JobState.DEAD, attempts=3, finished_at=timezone.now(), exception='builtins.ValueError'
    )
    return Job.objects.get(pk=call.id)


def test_the_list_is_filtered_and_searched(admin: Client) -> None:
    dead_letter('lost and found')
    mark.using(queue_name='slow').enqueue('nowhere', 1)

    assert 'sample.tasks.fail' in admin.get(JOBS, {'state': 'dead'}).text
    assert '1 job' in admin.get(JOBS, {'queue': 'slow'}).text
    assert '1 job' in admin.get(JOBS, {'q': 'lost and found'}).text
    assert '0 jobs' in admin.get(JOBS, {'q': 'never seen'}).text


def test_a_page_costs_the_same_whatever_is_on_it(admin: Client) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(JOBS).status_code == 200
        counts.append(len(captured))
        for number in range(30):
            mark.enqueue('nowhere', number)
    assert counts[0] == counts[1]


def test_a_job_can_be_looked_at_and_not_changed(admin: Client) -> None:
    job = dead_letter('shown')
    page = admin.get(f'{JOBS}{job.pk}/change/')
    assert 'shown' in page.text
    assert 'name="_save"' not in page.text
    assert admin.post(f'{JOBS}{job.pk}/change/', {'state': 'done'}).status_code == 403
    assert admin.get(f'{JOBS}add/').status_code == 403
    assert admin.post(f'{JOBS}{job.pk}/delete/', {'post': 'yes'}).status_code == 403
    assert states() == [JobState.DEAD]


def test_dead_letters_are_retried_and_who_did_it_is_noted(admin: Client) -> None:
    dead, waiting = dead_letter(), mark.using(priority=5).enqueue('nowhere', 1)
    chosen = {'action': 'retry', '_selected_action': [dead.pk, waiting.id]}
    assert '1 queued' in admin.post(JOBS, chosen, follow=True).text

    dead.refresh_from_db()
    assert (dead.state, dead.attempts, dead.finished_at) == (JobState.QUEUED, 0, None)
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(dead.pk)]


def test_who_may_only_look_retries_nothing(staff: Client) -> None:
    dead = dead_letter()
    assert staff.get(JOBS).status_code == 200
    staff.post(JOBS, {'action': 'retry', '_selected_action': [dead.pk]})
    assert states() == [JobState.DEAD]


def test_periodic_tasks_show_when_they_run_next(admin: Client) -> None:
    register_periods()
    assert 'forget_finished_jobs' in admin.get('/admin/tasks/periodictask/').text


def command(*arguments: Any) -> str:
    output = io.StringIO()
    call_command('tasks', *map(str, arguments), stdout=output)
    return output.getvalue()


class TestTheCommand:
    def test_lists_retries_and_discards(self) -> None:
        first, second = dead_letter(), dead_letter()
        mark.enqueue('nowhere', 1)

        listed = command('list').splitlines()
        assert [line.split()[0] for line in listed] == [str(second.pk), str(first.pk)]
        assert 'ValueError' in listed[0]
        assert command('retry', first.pk) == '1 queued.\n'
        assert command('discard', second.pk) == '1 discarded.\n'
        assert states() == [JobState.QUEUED, JobState.QUEUED]

    @pytest.mark.parametrize('verb', ['retry', 'discard'])
    def test_changes_nothing_when_one_of_them_is_no_dead_letter(self, verb: str) -> None:
        dead, waiting = dead_letter(), mark.enqueue('nowhere', 1)
        with pytest.raises(CommandError, match=f'no dead letter: {waiting.id}'):
            command(verb, dead.pk, waiting.id)
        assert states() == [JobState.DEAD, JobState.QUEUED]
