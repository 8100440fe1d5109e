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
    whole = []
    for each in filter(None, await _all_nodes(github, data, 'commits', queries.MORE_COMMITS)):
        commit = each['commit']
        authors = await _all_nodes(github, commit, 'authors', queries.MORE_AUTHORS)
        whole.append({'commit': {**commit, 'authors': {'nodes': authors}}})
    return {**data, 'commits': {'nodes': whole}}


async def _all_nodes(github: GitHub, of: Mapping[str, Any], name: str, query: str) -> list[Any]:
    """Return the nodes of a connection of a node, with those behind its first page."""
    page = of[name]
    nodes = list(page['nodes'])
    while page['pageInfo']['hasNextPage']:
        variables = {'id': of['id'], 'after': page['pageInfo']['endCursor']}
        page = (await github.query(query, variables))['node'][name]
        nodes += page['nodes']
    return nodes
