"""Labels: the newest of a single-choice group stays, and a missing required group is marked."""

from backstay.contributing.commands import AddLabel, Command, RemoveLabel
from backstay.contributing.configuration import Config
from backstay.contributing.snapshot import Issue


def keep_groups(issue: Issue, config: Config, added: str | None = None) -> list[Command]:
    """Return the commands that bring the labels of an issue in line with the groups.

    `added` is the label that has just been put on: it stays. Otherwise the newest one does.
    """
    commands = list[Command]()
    on = [each.name for each in issue.labellings if each.until is None]
    for group in config.labels.groups:
        there = [label for label in issue.labels if label in group.labels]
        if group.single and len(there) > 1:
            newest = [name for name in on if name in there] or there
            kept = added if added in there else newest[-1]
            commands += [
                RemoveLabel(issue=issue.number, label=label) for label in there if label != kept
            ]
        is_marked = group.missing in issue.labels
        if group.required and not there and not is_marked:
            commands.append(AddLabel(issue=issue.number, label=group.missing))
        elif group.required and there and is_marked:
            commands.append(RemoveLabel(issue=issue.number, label=group.missing))
    return commands
