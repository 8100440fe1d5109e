"""Labels: of a single-choice group the newest stays, and a required group that lacks is marked."""

from backstay.contributing.commands import AddLabel, Command, RemoveLabel
from backstay.contributing.configuration import Config, Group
from backstay.contributing.snapshot import Issue


def keep_groups(issue: Issue, config: Config, added: str | None = None) -> list[Command]:
    """What brings the labels of an issue in line with the groups.

    `added` is the label that has just been put on: it stays. Otherwise the newest one does.
    """
    commands = list[Command]()
    for group in config.labels.groups:
        there = [label for label in issue.labels if label in group.labels]
        if group.single and len(there) > 1:
            commands += _only(_newest(issue, there, added), there, issue)
        if group.required:
            commands += _mark(group, issue, lacks=not there)
    return commands


def _only(kept: str, there: list[str], issue: Issue) -> list[Command]:
    return [RemoveLabel(issue=issue.number, label=label) for label in there if label != kept]


def _newest(issue: Issue, there: list[str], added: str | None) -> str:
    if added in there:
        return added
    newest = [each.name for each in issue.labellings if each.until is None and each.name in there]
    return newest[-1] if newest else there[-1]


def _mark(group: Group, issue: Issue, *, lacks: bool) -> list[Command]:
    marked = group.missing in issue.labels
    if lacks and not marked:
        return [AddLabel(issue=issue.number, label=group.missing)]
    if marked and not lacks:
        return [RemoveLabel(issue=issue.number, label=group.missing)]
    return []
