"""The template of an earlier version, taken from the wheel that it was released in."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from backstay.template import TemplateError
from backstay.template.stamp import Stamp

#: The place of the template in every version of the package.
_PLACE = Path('backstay') / 'template'


@contextmanager
def earlier_template(stamp: Stamp, service: Path) -> Iterator[Path]:
    """Provide the template of the version in the stamp for as long as the block lasts.

    It comes from the service's folder `wheels/`, else from the index of its packages. Raises
    TemplateError when neither has it.
    """
    with TemporaryDirectory(prefix='backstay-earlier-') as temporary:
        folder = Path(temporary)
        wheels = sorted((service / 'wheels').glob(f'backstay-{stamp.version}-*.whl'))
        if wheels:
            with zipfile.ZipFile(wheels[0]) as wheel:
                wheel.extractall(folder)
        else:
            _install(f'backstay=={stamp.version}', folder, service)
        if not (folder / _PLACE / 'copier.yml').exists():
            raise TemplateError(f'backstay {stamp.version} has no template')
        yield folder / _PLACE


def _install(requirement: str, folder: Path, service: Path) -> None:
    """Install a package into the folder with uv, which services have beside Python, or pip."""
    beside = Path(sys.executable).with_name('uv')
    uv = str(beside) if beside.exists() else shutil.which('uv')
    installer = [sys.executable, '-m', 'pip', 'install', '--disable-pip-version-check']
    if uv:
        installer = [uv, 'pip', 'install', '--python', sys.executable]
    command = [*installer, '--quiet', '--no-deps', '--target', str(folder), requirement]
    ran = subprocess.run(command, cwd=service, capture_output=True, text=True, check=False)  # noqa: S603 ours
    if ran.returncode:
        raise TemplateError(
            f'{requirement} wrote this service, and cannot be had:\n{ran.stderr.strip()}\n'
            'Put its wheel into wheels/ for the time of the update.'
        )
