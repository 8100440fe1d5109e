"""`backstay doctor`: find what is behind, misconfigured or unsafe in a service, and the remedy."""

from collections.abc import Collection
from pathlib import Path

from backstay.template.checks import CHECKS
from backstay.template.findings import Finding, Kind, Patient
from backstay.template.git import run_git
from backstay.template.stamp import read_stamp


def examine(folder: Path, *, ignore: Collection[Kind] = ()) -> list[Finding]:
    """Return what is wrong with the service in that folder; change nothing.

    Raises TemplateError where there is no service.
    """
    in_git = run_git(folder, 'rev-parse', '--is-inside-work-tree').returncode == 0
    patient = Patient(folder=folder, stamp=read_stamp(folder), in_git=in_git)
    found = [finding for check in CHECKS for finding in check(patient)]
    return [finding for finding in found if finding.kind not in ignore]
