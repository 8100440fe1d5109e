"""Versions: preconditions of writes about the version of a row (RFC 9110 section 13)."""

from backstay.errors import Problem
from backstay.resources.write import granting
from backstay.resources.write.answering import etag_now
from backstay.resources.write.change import Batch, Change


def check_versions(batch: Batch) -> None:
    """Refuse changes that were meant for another version of their row, or for no version."""
    options = batch.resource.options
    for change in batch.open('update', 'delete', 'restore'):
        if change.parent is not None or change.row is None:
            continue
        asked = change.asked
        if options.require_if_match and not asked.if_match:
            change.problem = Problem(
                'Say which version is meant: If-Match with the ETag of the object.',
                code='precondition-required',
            )
        elif asked.if_match and not _is_among(batch, change, asked.if_match):
            change.problem = _mismatch(batch, change, 'The object has changed since it was read.')
        elif asked.if_none_match and _is_among(batch, change, asked.if_none_match):
            change.problem = _mismatch(batch, change, 'The object is there in a version excluded.')


def _is_among(batch: Batch, change: Change, tags: tuple[str, ...]) -> bool:
    """Whether a tag means the row as it is, by its version or by all that is shown of it."""
    name = batch.resource.options.version
    version = getattr(change.row, name) if name else None
    others = []
    for tag in tags:
        said, _, _ = tag.partition('-')
        if version is None or not (said.isascii() and said.isdigit()):
            others.append(tag)
        elif (said.lstrip('0') or '0') == str(version):  # its digits may be endless
            return True
    return '*' in others or (bool(others) and etag_now(batch.asked, change) in others)


def _mismatch(batch: Batch, change: Change, detail: str) -> Problem:
    problem = Problem(detail, code='version-mismatch')
    name, row = batch.resource.options.version, change.row
    deleted = change.verb == 'restore'
    if name and row is not None and granting.shows(batch, row.pk, name, deleted=deleted):
        problem.members['current_version'] = getattr(row, name)
    return problem
