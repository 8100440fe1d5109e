"""The decision: a pure function from an event, a snapshot and the time to commands.

It must not know how commands are performed, and reads neither a clock nor a network.
"""

from collections.abc import Callable
from datetime import datetime

from backstay.contributing import agreement, assigning, board, description, inactivity, linking
from backstay.contributing.answering import answered
from backstay.contributing.commands import Command, Noop
from backstay.contributing.configuration import Config
from backstay.contributing.events import (
    Assigned,
    Commented,
    Event,
    IssueLabelled,
    IssueOpened,
    IssueSwept,
    PullChanged,
    PullQueued,
)
from backstay.contributing.labels import keep_groups
from backstay.contributing.prompts import Prompt, Wish, read_prompt
from backstay.contributing.snapshot import Issue, Pull, Snapshot


def decide(event: Event, snapshot: Snapshot, config: Config, now: datetime) -> list[Command]:
    """Return the commands that answer an event, in order, or one `Noop` with the reason for none.

    Equal arguments give equal commands. When the commands have been performed, the same event
    gives only a `Noop`.
    """
    reason = why_not(event) or _why_left_alone(event, snapshot, config)
    if reason:
        return [Noop(reason=reason)]
    made = list[Command]()
    if snapshot.issue:
        made = _of_issue(event, snapshot.issue, snapshot, config, now)
    elif snapshot.pull:
        made = _of_pull(event, snapshot.pull, snapshot, config, now)
    return made or [Noop(reason='everything is as it should be')]


def why_not(event: Event) -> str | None:
    """Return the reason to ignore an event that can be known before anything is read, or None."""
    if not isinstance(event, Commented):
        return None
    if event.author.bot:
        return 'the comment is by an app'
    prompt = read_prompt(event.text)
    if prompt is None:
        return 'the comment is no prompt'
    if event.previous is not None and read_prompt(event.previous) == prompt:
        return 'the comment asked for the same before it was edited'
    if (prompt.wish is Wish.SIGN) != event.on_pull:
        return 'the prompt belongs on an issue' if event.on_pull else 'signing belongs on a pull'
    return None


def _why_left_alone(event: Event, snapshot: Snapshot, config: Config) -> str | None:
    """Return the reason to ignore an event in this snapshot, or None."""
    place = snapshot.issue or snapshot.pull
    if place is None:
        return 'there is no such issue or pull request'
    if config.labels.ignore in place.labels:
        return f'it has the label {config.labels.ignore}'
    if isinstance(event, IssueSwept) and snapshot.issue and not snapshot.issue.open:
        return 'the issue is closed'
    names = {snapshot.me, *config.names}
    if isinstance(event, Commented) and read_prompt(event.text, names) is None:
        return 'the comment calls somebody else'
    if isinstance(event, Commented | Assigned) and answered(event, snapshot):
        return 'the comment has been answered'
    return None


def _of_issue(
    event: Event, issue: Issue, snapshot: Snapshot, config: Config, now: datetime
) -> list[Command]:
    match event:
        case Commented():
            return _of_prompt(event, issue, snapshot, config)
        case Assigned():
            return assigning.settle(event, issue, snapshot, config)
        case IssueOpened():
            return description.describe(snapshot, issue, config)
        case IssueLabelled():
            return keep_groups(issue, config, event.added)
        case IssueSwept():
            return [
                *inactivity.warn_or_unassign(issue, config, now),
                *description.remind(snapshot, issue, config, now),
                *keep_groups(issue, config),
            ]
        case _:
            return []


def _of_prompt(event: Commented, issue: Issue, snapshot: Snapshot, config: Config) -> list[Command]:
    prompt = read_prompt(event.text)
    answers: dict[Wish, Callable[[Prompt], list[Command]]] = {
        Wish.ASSIGN: lambda _: assigning.assign_me(event, issue, snapshot, config),
        Wish.UNASSIGN: lambda _: assigning.unassign_me(event, issue),
        Wish.READY: lambda _: board.ready_for_review(event, issue),
        Wish.CHANGES: lambda _: board.requires_changes(event, issue),
        Wish.LINK: lambda prompt: linking.link(event, prompt, issue, snapshot.named),
        Wish.UNLINK: lambda prompt: linking.unlink(event, prompt, issue, snapshot.named),
    }
    return answers[prompt.wish](prompt) if prompt else []


def _of_pull(
    event: Event, pull: Pull, snapshot: Snapshot, config: Config, now: datetime
) -> list[Command]:
    if isinstance(event, PullChanged) and event.merged:
        return board.after_merge(pull, snapshot.closes)
    if config.agreement is None:
        return []
    if isinstance(event, Commented):
        return agreement.sign(event, pull, snapshot, config.agreement, now)
    if isinstance(event, PullQueued):
        return agreement.check_queued(event, pull, snapshot, config.agreement)
    return agreement.check(pull, snapshot, config.agreement) if pull.open else []
