"""Performing: each command as calls to GitHub, mostly one of the REST API."""

from base64 import b64encode
from typing import Any

from backstay.contributing import agreement, commands
from backstay.contributing.commands import Command
from backstay.contributing.configuration import Agreement
from backstay.contributing.github import queries, signatures
from backstay.contributing.github.boards import column_id
from backstay.contributing.github.client import CallFailed, GitHub
from backstay.contributing.github.reading import Reading, after_assigning
from backstay.contributing.github.stores import read_store
from backstay.contributing.replies import with_key
from backstay.contributing.snapshot import CheckState, Status

_ISSUE = '/repos/{owner}/{name}/issues/{number}'
_COMMENT = '/repos/{owner}/{name}/issues/comments/{comment}'
_PULL = '/repos/{owner}/{name}/pulls/{number}'
#: Attempts to write a signature while others sign at the same time.
_TRIES = 4


async def perform(github: GitHub, repository: str, reading: Reading, command: Command) -> Reading:
    """Perform a command and return the reading with its changes. Raises CallFailed."""
    owner, _, name = repository.partition('/')
    at: dict[str, Any] = {'owner': owner, 'name': name}
    match command:
        case commands.Assign(issue=number, login=login):
            return await _assign(github, reading, number, login)
        case commands.Unassign(issue=number, login=login):
            data: Any = {'assignees': [login]}
            await github.call('DELETE', f'{_ISSUE}/assignees', data, **at, number=number)
        case commands.SetStatus(issue=number, status=status):
            await _set_status(github, reading, number, status)
        case commands.AddLabel(issue=number, label=label):
            data = {'labels': [label]}
            await github.call('POST', f'{_ISSUE}/labels', data, **at, number=number)
        case commands.RemoveLabel(issue=number, label=label):
            path = f'{_ISSUE}/labels/{{label}}'
            await github.call('DELETE', path, **at, number=number, label=label)
        case commands.Comment(number=number, key=key, text=text):
            data = {'body': with_key(text, key)}
            await github.call('POST', f'{_ISSUE}/comments', data, **at, number=number)
        case commands.EditComment(comment_id=comment, key=key, text=text):
            data = {'body': with_key(text, key)}
            await github.call('PATCH', _COMMENT, data, **at, comment=comment)
        case commands.React(comment_id=comment):
            data = {'content': '+1'}
            await github.call('POST', f'{_COMMENT}/reactions', data, **at, comment=comment)
        case commands.WriteIssue(issue=number, body=body):
            await github.call('PATCH', _ISSUE, {'body': body}, **at, number=number)
        case commands.LinkPull() | commands.UnlinkPull():
            place = dict(zip(('owner', 'name'), command.repository.split('/'), strict=True))
            data = {'body': command.body}
            await github.call('PATCH', _PULL, data, **place, number=command.number)
        case commands.CreateStore():
            await _create_store(github, _agreement(reading), repository)
        case commands.RecordSignature(signature=signature):
            line = signatures.write_signature(signature)
            await _record(github, reading, repository, line, signature.login)
        case commands.SetCheck():
            await github.call('POST', '/repos/{owner}/{name}/check-runs', _check(command), **at)
        case commands.Noop():
            pass
    return reading


async def _assign(github: GitHub, reading: Reading, number: int, login: str) -> Reading:
    if login not in reading.user_ids:
        raise CallFailed('GitHub does not know who is to be assigned')
    variables = {
        'issue': reading.issue_ids[number],
        'user': reading.user_ids[login],
        'login': login,
    }
    data = await github.mutate(queries.ASSIGN, variables)
    return after_assigning(reading, data, login)


async def _set_status(github: GitHub, reading: Reading, number: int, status: Status) -> None:
    place = reading.places[number]
    option = column_id(place.project, reading.config.board, status)
    if option is None:
        return  # the board has no such column
    project, item = place.project, place.item
    if not item:
        added = {'project': project.id, 'issue': reading.issue_ids[number]}
        data = await github.mutate(queries.ADD_TO_BOARD, added)
        item = str(data['addProjectV2ItemById']['item']['id'])
    variables = {'project': project.id, 'field': project.field, 'item': item, 'option': option}
    await github.mutate(queries.SET_COLUMN, variables)


def _check(command: commands.SetCheck) -> dict[str, Any]:
    """Return the body of a check run.

    An undecided check stays queued: GitHub accepts a required check that ends as neutral.
    """
    titles = {
        CheckState.PASSED: 'Everybody has signed',
        CheckState.FAILED: 'Signatures are missing',
        CheckState.UNDECIDED: 'Waiting for the signatures to be readable',
    }
    body: dict[str, Any] = {
        'name': agreement.CHECK,
        'head_sha': command.sha,
        'output': {'title': titles[command.state], 'summary': command.summary},
    }
    if command.state is CheckState.UNDECIDED:
        return {**body, 'status': 'queued'}
    conclusion = 'success' if command.state is CheckState.PASSED else 'failure'
    return {**body, 'status': 'completed', 'conclusion': conclusion}


def _agreement(reading: Reading) -> Agreement:
    if reading.config.agreement is None:
        raise CallFailed('no agreement is configured')
    return reading.config.agreement


async def _create_store(github: GitHub, where: Agreement, repository: str) -> None:
    """Create a branch that begins with an empty file and shares no history with the code."""
    owner, _, name = (where.repository or repository).partition('/')
    at = {'owner': owner, 'name': name}
    file = {'path': signatures.PATH, 'mode': '100644', 'type': 'blob', 'content': ''}
    tree = await github.call('POST', '/repos/{owner}/{name}/git/trees', {'tree': [file]}, **at)
    commit = {'message': 'Begin the signatures', 'tree': tree['sha'], 'parents': []}
    made = await github.call('POST', '/repos/{owner}/{name}/git/commits', commit, **at)
    ref = {'ref': f'refs/heads/{where.branch}', 'sha': made['sha']}
    try:
        await github.call('POST', '/repos/{owner}/{name}/git/refs', ref, **at)
    except CallFailed as error:
        if not _is_conflict(error):  # on a conflict, another run has made the branch
            raise


async def _record(github: GitHub, reading: Reading, repository: str, line: str, login: str) -> None:
    """Add a line to the newest version of the file: GitHub rejects writes to an older one."""
    where, file = _agreement(reading), reading.store
    owner, _, name = (where.repository or repository).partition('/')
    path = f'/repos/{{owner}}/{{name}}/contents/{signatures.PATH}'
    for attempt in range(1, _TRIES + 1):
        text = file.text if file.text.endswith('\n') or not file.text else f'{file.text}\n'
        data = {
            'message': f'{login} signed version {where.version}',
            'content': b64encode(f'{text}{line}'.encode()).decode(),
            'branch': where.branch,
            **({'sha': file.oid} if file.oid else {}),
        }
        try:
            await github.call('PUT', path, data, owner=owner, name=name)
            return
        except CallFailed as error:
            if attempt == _TRIES or not _is_conflict(error):
                raise
        store, file = await read_store(github, reading.config, repository)
        if store is None:
            raise CallFailed('the signatures cannot be read any longer')


def _is_conflict(error: CallFailed) -> bool:
    return ': 409 ' in str(error) or ': 422 ' in str(error)
