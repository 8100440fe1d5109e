"""The rest of a first page: older comments, further commits and authors, a hundred in each call."""

from collections.abc import Mapping
from typing import Any

from backstay.contributing.github import queries
from backstay.contributing.github.client import GitHub


async def with_all_comments(
    github: GitHub, data: Mapping[str, Any], since: int | None = None
) -> dict[str, Any]:
    """Return the data with its older comments: one call for each hundred beyond the newest.

    With `since`, comments before that one are left out: answers to it are behind it.
    """
    comments, nodes = data['comments'], list(data['comments']['nodes'])
    while comments['pageInfo']['hasPreviousPage']:
        if any(each['databaseId'] == since for each in nodes):
            break
        variables = {'id': data['id'], 'before': comments['pageInfo']['startCursor']}
        older = await github.query(queries.OLDER_COMMENTS, variables)
        comments = older['node']['comments']
        nodes = [*comments['nodes'], *nodes]
    return {**data, 'comments': {'nodes': nodes}}


async def with_all_commits(github: GitHub, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with its further commits, and with every author of each."""
    commits, nodes = data['commits'], list(data['commits']['nodes'])
    while commits['pageInfo']['hasNextPage']:
        variables = {'id': data['id'], 'after': commits['pageInfo']['endCursor']}
        more = await github.query(queries.MORE_COMMITS, variables)
        commits = more['node']['commits']
        nodes += commits['nodes']
    whole = [{'commit': await _with_all_authors(github, each['commit'])} for each in nodes if each]
    return {**data, 'commits': {'nodes': whole}}


async def _with_all_authors(github: GitHub, commit: Mapping[str, Any]) -> dict[str, Any]:
    authors, nodes = commit['authors'], list(commit['authors']['nodes'])
    while authors['pageInfo']['hasNextPage']:
        variables = {'id': commit['id'], 'after': authors['pageInfo']['endCursor']}
        more = await github.query(queries.MORE_AUTHORS, variables)
        authors = more['node']['authors']
        nodes += authors['nodes']
    return {**commit, 'authors': {'nodes': nodes}}
