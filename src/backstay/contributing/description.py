"""Descriptions: the help below a new issue, and reminders when the description is missing."""

import re
from datetime import datetime, timedelta

from backstay.contributing.commands import Command, Comment, WriteIssue
from backstay.contributing.configuration import Config
from backstay.contributing.replies import Safe, Text, mention_team
from backstay.contributing.snapshot import Issue, Snapshot

START, END = '<!-- backstay: help -->', '<!-- backstay: end of help -->'
_SECTION = re.compile(rf'\n*{re.escape(START)}.*?{re.escape(END)}\n*', re.DOTALL)
HELP = """\
---
Comment one of these, alone on the first line, and it is done:

| comment | what happens |
|---|---|
| `assign me` | You are assigned to this issue |
| `unassign me` | You are no longer |
| `ready for review` | The issue is moved to those that wait for a review |
| `requires changes` | It is moved back to those in progress |
| `link pr 12` | Your pull request 12 resolves this issue |
| `unlink pr 12` | It no longer does |"""


def describe(snapshot: Snapshot, issue: Issue, config: Config) -> list[Command]:
    """Add the help to a new issue, and ask for a description when it has none."""
    commands = list[Command]()
    if config.description.help and START not in issue.body:
        commands.append(WriteIssue(issue=issue.number, body=with_help(issue.body)))
    if config.description.reminders and is_blank(issue.body) and not _asked(issue):
        commands.append(_ask(snapshot, issue, config))
    return commands


def remind(snapshot: Snapshot, issue: Issue, config: Config, now: datetime) -> list[Command]:
    """Ask again for a description, up to the configured number of times.

    The first reminder after the opening is only for issues that are labelled as unclear, so that
    the first sweep does not comment on every old issue.
    """
    asked = _asked(issue)
    if not is_blank(issue.body) or len(asked) >= config.description.reminders:
        return []
    if not asked and config.labels.unclear not in issue.labels:
        return []
    if asked and now - max(asked) < timedelta(days=config.description.every_days):
        return []
    return [_ask(snapshot, issue, config)]


def is_blank(body: str) -> bool:
    """Whether the author wrote nothing, apart from our section."""
    return not re.sub(r'<!--.*?-->', '', _SECTION.sub('', body), flags=re.DOTALL).strip()


def with_help(body: str) -> str:
    """Return the description with our section behind it."""
    return f'{body.rstrip()}\n\n{START}\n{HELP}\n{END}'.lstrip('\n')


def _asked(issue: Issue) -> list[datetime]:
    return [each.at for each in issue.said if each.key.startswith('description:')]


def _ask(snapshot: Snapshot, issue: Issue, config: Config) -> Command:
    name, team = config.description.team, Safe('')
    if name and snapshot.team_exists is not False:
        team = Safe(f'{mention_team(name)}, ')
    text = Text(template='description-wanted', values={'team': team})
    key = f'description:{len(_asked(issue)) + 1}'
    return Comment(number=issue.number, key=key, text=text)
