"""The application of Celery: `celery -A backstay.tasks.celery_app worker`."""

import os
from datetime import timedelta

from celery import Celery  # type: ignore[import-untyped]
from django.conf import settings
from django.db.models.functions import Now

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')

_broker = settings.BACKSTAY.redis_url

app = Celery(
    'backstay', broker=_broker.get_secret_value() if _broker else None, set_as_current=False
)
app.conf.update(
    task_acks_late=True,  # a job that a dead worker had comes again; its row tells who may run it
    task_ignore_result=True,
    task_default_queue='default',
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,  # lines go where those of Django go
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        'socket_connect_timeout': 1,
        'socket_timeout': 5,
        # A request waits for this when Redis is away; the row is stored, and comes later.
        'max_retries': 1,
        'interval_start': 0,
        'interval_step': 0.1,
        'interval_max': 0.1,
    },
)


@app.task(name='backstay.run')  # type: ignore[untyped-decorator]
def run_job(job_id: int) -> None:
    """Run one job of our table, unless somebody does or did."""
    from backstay.tasks.claiming import LEASE, claim, worker_name
    from backstay.tasks.models import Job, JobState
    from backstay.tasks.running import run

    handed_over = Job.objects.filter(pk=job_id, state=JobState.HANDED_OVER)
    for job in claim(handed_over, worker=worker_name(), lease=LEASE, limit=1):
        run(job, lease=LEASE)
        return
    # Another job of its key runs: it comes again.
    handed_over.update(state=JobState.QUEUED, due_at=Now() + timedelta(seconds=1))
