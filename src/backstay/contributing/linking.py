"""`link pr` and `unlink pr`: the issues that a pull request says it resolves."""

import re

from backstay.contributing.answering import reply
from backstay.contributing.commands import Command, LinkPull, UnlinkPull
from backstay.contributing.events import Commented
from backstay.contributing.prompts import Prompt
from backstay.contributing.replies import Safe, quoted
from backstay.contributing.snapshot import Issue, Pull

START, END = '<!-- backstay: links -->', '<!-- backstay: end of links -->'
_SECTION = re.compile(rf'\n*{re.escape(START)}\n(.*?)\n?{re.escape(END)}', re.DOTALL)
#: The words by which GitHub closes an issue when a pull request is merged.
_CLOSING = r'\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+'


def link(event: Commented, prompt: Prompt, issue: Issue, named: Pull | None) -> list[Command]:
    """Make the pull request resolve the issue; the first guard that fails answers."""
    shown = shown_as(prompt, issue)
    if not issue.open:
        return [reply(event, 'closed')]
    if not issue.assignment_of(event.author.login):
        return [reply(event, 'not-assigned')]
    if named is None:
        return [reply(event, 'no-such-pull', pull=shown)]
    if resolves(named, issue):
        return [reply(event, 'already-linked', pull=shown)]
    if named.author.login != event.author.login:
        return [reply(event, 'not-your-pull', pull=shown)]
    body = with_link(named, issue)
    command = LinkPull(
        issue=issue.number, repository=named.repository, number=named.number, body=body
    )
    return [command, reply(event, 'linked', pull=shown)]


def unlink(event: Commented, prompt: Prompt, issue: Issue, named: Pull | None) -> list[Command]:
    """Make the pull request no longer resolve the issue."""
    shown = shown_as(prompt, issue)
    if not issue.assignment_of(event.author.login):
        return [reply(event, 'not-assigned')]
    if named is None:
        return [reply(event, 'no-such-pull', pull=shown)]
    if not resolves(named, issue):
        return [reply(event, 'not-linked', pull=shown)]
    if named.author.login != event.author.login:
        return [reply(event, 'not-your-pull', pull=shown)]
    body = without_link(named, issue)
    if body == named.body:
        return [reply(event, 'linked-by-hand', pull=shown)]
    command = UnlinkPull(
        issue=issue.number, repository=named.repository, number=named.number, body=body
    )
    return [command, reply(event, 'unlinked', pull=shown)]


def resolves(pull: Pull, issue: Issue) -> bool:
    """Whether the body says that it closes exactly this issue."""
    full = re.escape(issue.repository)
    same = pull.repository.casefold() == issue.repository.casefold()
    place = rf'(?:{full})?#' if same else rf'{full}#'
    url = rf'https://[\w.-]+/{full}/issues/'
    reference = rf'{_CLOSING}(?:{place}|{url}){issue.number}(?!\d)'
    return re.search(reference, pull.body, re.IGNORECASE) is not None


def with_link(pull: Pull, issue: Issue) -> str:
    """Return the body with a line for the issue in our section, which is added if missing."""
    lines = [*_lines(pull.body), f'Resolves {issue.repository}#{issue.number}']
    return _with_lines(pull.body, lines)


def without_link(pull: Pull, issue: Issue) -> str:
    """Return the body without the line for the issue; the author's text is unchanged."""
    own = f'Resolves {issue.repository}#{issue.number}'
    lines = _lines(pull.body)
    kept = [line for line in lines if line != own]
    return pull.body if kept == lines else _with_lines(pull.body, kept)


def repository_of(prompt: Prompt, issue_repository: str) -> str:
    """Return `owner/name` of the pull request in a prompt; the issue gives a missing part."""
    owner, _, name = issue_repository.partition('/')
    if not prompt.repository:
        return issue_repository
    return prompt.repository if '/' in prompt.repository else f'{owner}/{prompt.repository or name}'


def shown_as(prompt: Prompt, issue: Issue) -> Safe:
    """Return the name of the pull request for replies."""
    return quoted(f'{repository_of(prompt, issue.repository)}#{prompt.pull}')


def _lines(body: str) -> list[str]:
    found = _SECTION.search(body)
    return [line for line in found.group(1).splitlines() if line.strip()] if found else []


def _with_lines(body: str, lines: list[str]) -> str:
    section = '\n'.join([START, *lines, END])
    if _SECTION.search(body):
        text = f'\n\n{section}' if lines else ''
        return _SECTION.sub(lambda _found: text, body, count=1).lstrip('\n')
    return f'{body.rstrip()}\n\n{section}'.lstrip('\n')
