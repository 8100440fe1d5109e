"""The image of a service: built once for a version, and named by its digest from then on."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backstay.pipelines.errors import RefusedError
from backstay.pipelines.programs import run


def build(folder: Path) -> None:
    """Build the image to prove that it can be built, and discard it."""
    _docker('buildx', 'build', '--progress=plain', *_secrets(), str(folder))


def sign_in(registry: str, *, user: str, token: str) -> None:
    """Let Docker take images from a registry, and bring them there, as far as the token may."""
    _docker('login', registry, '--username', user, '--password-stdin', said=token)


def publish(
    folder: Path, name: str, version: str, *, labels: Mapping[str, str], user: str, token: str
) -> str:
    """Build and push `name:version`, and return its name and digest.

    It has provenance and a bill of materials. A version that an earlier run pushed before it failed
    is not built again.
    """
    sign_in(name.partition('/')[0], user=user, token=token)
    tagged = f'{name}:{version}'
    if digest := _digest_of(tagged):
        return f'{name}@{digest}'
    # The default builder writes neither provenance nor a bill.
    _docker('buildx', 'create', '--use', '--name', 'backstay')
    with tempfile.TemporaryDirectory() as kept:
        told = Path(kept, 'metadata.json')
        _docker(
            'buildx',
            'build',
            '--push',
            '--progress=plain',
            *_secrets(),
            '--provenance=mode=max',
            '--sbom=true',
            f'--metadata-file={told}',
            f'--tag={tagged}',
            *(f'--label={label}={value}' for label, value in sorted(labels.items())),
            str(folder),
        )
        metadata: Any = json.loads(told.read_text())
    return f'{name}@{metadata["containerimage.digest"]}'


def _secrets() -> tuple[str, ...]:
    """Return the options that hand a private index of packages to the build, and to no layer."""
    if os.environ.get('PIP_EXTRA_INDEX_URL'):
        return ('--secret', 'id=package-index,env=PIP_EXTRA_INDEX_URL')
    return ()


def _digest_of(tagged: str) -> str:
    """Return the digest of an image in the registry; empty when there is none."""
    look = ('docker', 'buildx', 'imagetools', 'inspect', tagged, '--format={{.Manifest.Digest}}')
    found = run(look)
    return found.stdout.strip() if found.returncode == 0 else ''


def _docker(*arguments: str, said: str | None = None) -> None:
    ran = run(['docker', *arguments], said=said, shown=True)
    if ran.returncode:
        raise RefusedError(f'docker {arguments[0]} failed')
