"""The bill of materials of a release: every package that a lock file names (CycloneDX 1.6)."""

import json
import re
from typing import Any

_ENTRY = re.compile(r'^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)')


def bill_of(lock: str, *, name: str, version: str, made_at: str) -> str:
    """Return the bill of a package as JSON; equal input gives equal output.

    `made_at` is the time of the commit (RFC 3339), not of the run.
    """
    entries = map(_ENTRY.match, re.split(r'\n(?=[A-Za-z0-9])', lock.strip()))
    bill = {
        'bomFormat': 'CycloneDX',
        'specVersion': '1.6',
        'version': 1,
        'metadata': {
            'timestamp': made_at,
            'component': _component(name, version, 'application'),
        },
        'components': [
            _component(found['name'], found['version'], 'library') for found in entries if found
        ],
    }
    return json.dumps(bill, indent=2, sort_keys=True) + '\n'


def _component(name: str, version: str, kind: str) -> dict[str, Any]:
    normal = re.sub(r'[-_.]+', '-', name).lower()  # PEP 503
    reference = f'pkg:pypi/{normal}@{version}'
    return {
        'type': kind,
        'name': normal,
        'version': version,
        'purl': reference,
        'bom-ref': reference,
    }
