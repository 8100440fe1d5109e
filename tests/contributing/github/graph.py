"""The simulated GitHub as its GraphQL schema sees it. Only the fields of our extract are here."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from graphql import GraphQLError

from backstay.contributing.snapshot import Person
from tests.contributing.github.state import Comment, Repository, Thing, oid

Json = dict[str, Any]


class Refused(GraphQLError):
    """An error as GitHub writes it, with its type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message, extensions={'type': kind})


class Graph:
    """Gives objects of the state as what GraphQL asks of them."""

    def __init__(self, github: Any) -> None:
        self.github = github

    def root(self) -> Json:
        """The fields of Query and Mutation."""
        return {
            'viewer': {'login': self.github.me.login.removesuffix('[bot]')},
            'user': self._user,
            'organization': self._organisation,
            'repositoryOwner': self._owner,
            'repository': self._repository,
            'node': lambda _info, **asked: self._node(asked['id']),
            'addAssigneesToAssignable': self._assign,
            'addProjectV2ItemById': self._add_item,
            'updateProjectV2ItemFieldValue': self._set_column,
        }

    def _node(self, name: str) -> Json:
        if not name.startswith('C_'):
            return self.thing(*self.github.find(name))
        found = [
            (repository, work)
            for repository in self.github.repositories.values()
            for thing in repository.things.values()
            for work in thing.commits
            if f'C_{work.sha}' == name
        ]
        return self._commit(*found[0])

    def _user(self, _info: Any, login: str) -> Json:
        if login not in self.github.people:
            raise Refused('NOT_FOUND', f'Could not resolve to a User with the login of {login!r}.')
        return {'id': f'U_{login}', **_actor(self.github.people[login])}

    def _organisation(self, _info: Any, login: str) -> Json:
        if not self.github.sees_teams:
            raise Refused('FORBIDDEN', 'Resource not accessible by integration')
        teams = self.github.teams.get(login, ())
        return {'team': lambda _info, slug: {'slug': slug} if slug in teams else None}

    def _owner(self, _info: Any, login: str) -> Json | None:
        mine = [each for each in self.github.repositories.values() if each.owner == login]
        nodes = [{'nameWithOwner': each.full_name} for each in mine]
        found = {'__typename': 'Organization', 'repositories': connected(nodes)}
        return found if mine else None

    def _repository(self, _info: Any, owner: str, name: str, **_: Any) -> Json:
        repository = self.github.repositories.get(f'{owner}/{name}')
        if repository is None or repository.full_name in self.github.unreadable:
            raise Refused('NOT_FOUND', 'Could not resolve to a Repository with that name.')
        return self.repository(repository)

    def repository(self, repository: Repository) -> Json:
        """A repository."""

        def kind(wants_pulls: bool) -> list[Thing]:
            return [each for each in repository.things.values() if bool(each.head) is wants_pulls]

        def one(wants_pulls: bool) -> Callable[..., Json | None]:
            def find(_info: Any, number: int) -> Json | None:
                thing = repository.things.get(number)
                if thing is None or bool(thing.head) is not wants_pulls:
                    raise Refused('NOT_FOUND', f'Could not resolve to number {number}.')
                return self.thing(repository, thing)

            return find

        def many(wants_pulls: bool) -> Callable[..., Json]:
            def find(info: Any, filterBy: Any = None, states: Any = None, **page: Any) -> Json:  # noqa: N803
                assignee = (filterBy or {}).get('assignee')
                nodes = [
                    self.thing(repository, each)
                    for each in kind(wants_pulls)
                    if (states is None or each.state in states)
                    and (assignee is None or assignee in each.assignees)
                ]
                return connected(nodes)(info, **page)

            return find

        return {
            'nameWithOwner': repository.full_name,
            'object': lambda _info, expression: self._blob(repository, expression),
            'ref': lambda _info, qualifiedName: self._ref(repository, qualifiedName),  # noqa: N803
            'issue': one(wants_pulls=False),
            'pullRequest': one(wants_pulls=True),
            'issues': many(wants_pulls=False),
            'pullRequests': many(wants_pulls=True),
            'projectsV2': self._projects(repository),
        }

    def thing(self, repository: Repository, thing: Thing) -> Json:
        """An issue or a pull request."""
        events = [
            {
                '__typename': each.kind,
                'createdAt': _time(each.at),
                'assignee': {'__typename': 'User', 'login': each.login},
                'label': {'name': each.label},
            }
            for each in thing.timeline
        ]
        names = {
            'ASSIGNED_EVENT': 'AssignedEvent',
            'LABELED_EVENT': 'LabeledEvent',
            'UNLABELED_EVENT': 'UnlabeledEvent',
            'READY_FOR_REVIEW_EVENT': 'ReadyForReviewEvent',
            'HEAD_REF_FORCE_PUSHED_EVENT': 'HeadRefForcePushedEvent',
        }

        def timeline(info: Any, itemTypes: list[str], **page: Any) -> Json:  # noqa: N803
            kinds = {names[each] for each in itemTypes}
            return connected([each for each in events if each['__typename'] in kinds])(info, **page)

        shared = {
            'id': thing.id,
            'number': thing.number,
            'body': thing.body,
            'state': thing.state,
            'createdAt': _time(thing.created_at),
            'author': _actor(thing.author),
            'authorAssociation': thing.author.association,
            'repository': lambda _info: self.repository(repository),
            'labels': connected([{'name': each} for each in thing.labels]),
            'assignees': connected([_actor(self.github.people[each]) for each in thing.assignees]),
            'comments': connected([self._comment(each) for each in thing.comments]),
            'timelineItems': timeline,
        }
        if thing.head:
            return {**shared, **self._pull(repository, thing)}

        def closing() -> list[Json]:
            return [
                self.thing(repository, each)
                for each in repository.things.values()
                if each.head and each.state == 'OPEN' and thing.number in each.closes
            ]

        return {
            '__typename': 'Issue',
            **shared,
            'closedByPullRequestsReferences': connected(closing),
            'projectItems': self._items(repository, thing),
        }

    def _pull(self, repository: Repository, thing: Thing) -> Json:
        commits = [{'commit': self._commit(repository, each)} for each in thing.commits]
        reviews = [
            {'submittedAt': _time(each.at), 'author': _actor(each.author)} for each in thing.reviews
        ]

        def closes() -> list[Json]:
            return [self.thing(repository, repository.things[each]) for each in thing.closes]

        return {
            '__typename': 'PullRequest',
            'isDraft': thing.draft,
            'headRefOid': thing.head,
            'commits': connected(commits),
            'reviews': connected(reviews),
            'closingIssuesReferences': connected(closes),
        }

    def _commit(self, repository: Repository, work: Any) -> Json:
        authors = [
            {'name': name, 'email': email, 'user': _actor(who) if who and not who.bot else None}
            for name, email, who in work.authors
        ]

        def suites(info: Any, filterBy: Json, **page: Any) -> Json:  # noqa: N803
            runs = [
                {
                    'status': each['status'].upper(),
                    'conclusion': (each.get('conclusion') or '').upper() or None,
                    'summary': each['output']['summary'],
                }
                for each in repository.checks.get(work.sha, [])
                if each['name'] == filterBy['checkName']
            ]
            return connected([{'checkRuns': connected(runs)}] if runs else [])(info, **page)

        return {
            '__typename': 'Commit',
            'id': f'C_{work.sha}',
            'oid': work.sha,
            'committedDate': _time(work.at),
            'authors': connected(authors),
            'checkSuites': suites,
        }

    def _comment(self, comment: Comment) -> Json:
        mine = comment.author.login == self.github.me.login
        return {
            'databaseId': comment.id,
            'body': comment.body,
            'createdAt': _time(comment.at),
            'lastEditedAt': _time(comment.edited_at) if comment.edited_at else None,
            'viewerDidAuthor': mine,
            'author': _actor(comment.author),
            'reactionGroups': [
                {'content': 'THUMBS_UP', 'viewerHasReacted': self.github.me.login in comment.thumbs}
            ],
        }

    def _blob(self, repository: Repository, expression: str) -> Json | None:
        branch, _, path = expression.partition(':')
        text = repository.branches.get(branch, {}).get(path)
        if text is None:
            return None
        cut = len(text) > self.github.longest_text
        shown = text[: self.github.longest_text]
        return {'__typename': 'Blob', 'oid': oid(text), 'text': shown, 'isTruncated': cut}

    def _ref(self, repository: Repository, name: str) -> Json | None:
        branch = name.removeprefix('refs/heads/')
        return {'name': branch} if branch in repository.branches else None

    def _projects(self, repository: Repository) -> Callable[..., Json]:
        def find(info: Any, **page: Any) -> Json:
            board = self._board(repository)
            if board is None:
                return connected([])(info, **page)
            options = [{'id': f'opt:{each}', 'name': each} for each in board.columns]
            status = {
                '__typename': 'ProjectV2SingleSelectField',
                'id': board.field_id,
                'name': 'Status',
                'options': options,
            }
            title = {'__typename': 'ProjectV2Field'}
            node = {'id': board.id, 'number': board.number, 'fields': connected([title, status])}
            return connected([node])(info, **page)

        return find

    def _items(self, repository: Repository, thing: Thing) -> Callable[..., Json]:
        def find(info: Any, **page: Any) -> Json:
            board = self._board(repository)
            if board is None or thing.id not in board.items:
                return connected([])(info, **page)
            column, since = board.items[thing.id]
            value = {
                '__typename': 'ProjectV2ItemFieldSingleSelectValue',
                'name': column,
                'updatedAt': _time(since),
                'field': {'__typename': 'ProjectV2SingleSelectField', 'id': board.field_id},
            }
            node = {
                'id': f'PVTI_{thing.id}',
                'project': {'id': board.id},
                'fieldValues': connected([value] if column else []),
            }
            return connected([node])(info, **page)

        return find

    def _board(self, repository: Repository) -> Any:
        if not self.github.sees_boards:
            raise Refused('FORBIDDEN', 'Resource not accessible by integration')
        return repository.board

    def _assign(self, _info: Any, input: Json) -> Json:  # noqa: A002
        repository, thing = self.github.find(input['assignableId'])
        for each in input['assigneeIds']:
            self.github.assign(thing, each.removeprefix('U_'))
        return {'assignable': self.thing(repository, thing)}

    def _add_item(self, _info: Any, input: Json) -> Json:  # noqa: A002
        repository, thing = self.github.find(input['contentId'])
        self._board(repository).items.setdefault(thing.id, ('', self.github.now))
        return {'item': {'id': f'PVTI_{thing.id}'}}

    def _set_column(self, _info: Any, input: Json) -> Json:  # noqa: A002
        repository, thing = self.github.find(input['itemId'].removeprefix('PVTI_'))
        board, option = self._board(repository), input['value']['singleSelectOptionId']
        column = option.removeprefix('opt:')
        if (input['fieldId'], column in board.columns) != (board.field_id, True):
            raise Refused('NOT_FOUND', 'Could not resolve to a node.')
        board.items[thing.id] = (column, self.github.now)
        return {'projectV2Item': {'id': input['itemId']}}


def connected(given: list[Json] | Callable[[], list[Json]]) -> Callable[..., Json]:
    """A field that gives a page of nodes; GitHub wants to be told how many, at most 100."""

    def page(
        _info: Any,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
        **_: Any,
    ) -> Json:
        nodes = given() if callable(given) else given
        size = first if first is not None else last
        if size is None or not 0 < size <= 100:
            raise Refused('MISSING_PAGINATION_BOUNDARIES', 'Give `first` or `last`, 1 to 100.')
        start = int(after) + 1 if after else 0
        end = int(before) if before else len(nodes)
        start, end = (start, min(end, start + size)) if first else (max(start, end - size), end)
        info = {
            'hasNextPage': end < len(nodes),
            'endCursor': str(end - 1) if end else None,
            'hasPreviousPage': start > 0,
            'startCursor': str(start),
        }
        return {'pageInfo': info, 'nodes': nodes[start:end]}

    return page


def _actor(person: Person) -> Json:
    kind = 'Bot' if person.bot else 'User'
    login = person.login.removesuffix('[bot]') if person.bot else person.login
    return {'__typename': kind, 'login': login, 'databaseId': person.id}


def _time(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat().replace('+00:00', 'Z')
