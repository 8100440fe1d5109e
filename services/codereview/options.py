"""The service's own settings, which are read from the environment of the process."""

import os
from collections.abc import Mapping
from typing import Any

from django.conf import settings

_TRUE = frozenset({'1', 'true', 'yes', 'on'})


def options(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Django settings, each with the value of the variable of the same name, or its default."""
    hosts = environ.get('CODEREVIEW_HOSTS', 'hg.mozilla.org,github.com')
    return {
        # Where links to revisions of Phabricator lead; only scheme and host count.
        'CODEREVIEW_PHABRICATOR_URL': environ.get(
            'CODEREVIEW_PHABRICATOR_URL', 'https://phabricator.services.mozilla.com'
        ),
        # Where links to bugs, jobs and tasks lead; empty for no such link.
        'CODEREVIEW_BUGZILLA_URL': environ.get(
            'CODEREVIEW_BUGZILLA_URL', 'https://bugzilla.mozilla.org'
        ),
        'CODEREVIEW_TREEHERDER_URL': environ.get(
            'CODEREVIEW_TREEHERDER_URL', 'https://treeherder.mozilla.org'
        ),
        'TASKCLUSTER_ROOT_URL': environ.get(
            'TASKCLUSTER_ROOT_URL', 'https://firefox-ci-tc.services.mozilla.com'
        ),
        # Hosts whose repositories are created when a revision first names them.
        'CODEREVIEW_HOSTS': tuple(each.strip() for each in hosts.split(',') if each.strip()),
        # Whether issues that come without a diff belong to the newest diff of their revision.
        'CODEREVIEW_ATTACH_TO_NEWEST_DIFF': _is_true(environ, 'CODEREVIEW_ATTACH_TO_NEWEST_DIFF'),
        # Whether a day without a revision knows no issue at all, rather than all of them.
        'CODEREVIEW_STRICT_DATES': _is_true(environ, 'CODEREVIEW_STRICT_DATES'),
    }


def option(name: str) -> Any:
    """The value of one of them on the running site."""
    return getattr(settings, name)


def _is_true(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, '').lower() in _TRUE
