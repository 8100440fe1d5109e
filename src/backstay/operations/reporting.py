"""Failures, reported to Sentry where SENTRY_DSN says so: the log has them in any case.

Nothing that a client sent goes there: no body, header, cookie or address, and no local variables,
which would hold the same.
"""

from backstay import __version__
from backstay.settings import Environment


def report_failures(environment: Environment) -> bool:
    """Report from now on what Django and the workers do not catch; whether it is wanted."""
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
