"""Failures, reported to Sentry where SENTRY_DSN is set; the log has them in any case.

Nothing from a client is sent: no body, header, cookie or address, and no local variables,
which would hold the same data.
"""

from backstay import __version__
from backstay.settings import Environment


def report_failures(environment: Environment) -> bool:
    """Report uncaught errors of Django and the workers from now on; return whether it is on."""
    if environment.sentry_dsn is None:
        return False
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration

    sentry_sdk.init(
        dsn=environment.sentry_dsn.get_secret_value(),
        environment=environment.env,
        release=f'backstay@{__version__}',
        integrations=[DjangoIntegration()],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size='never',
        max_breadcrumbs=0,  # they would hold statements and lines of the log
    )
    return True
