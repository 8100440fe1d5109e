"""The GraphQL documents: one read for each kind of event, and the mutations that save a read.

A board needs rights that the token of a workflow does not have. It is asked for in a part of its
own (`board`), because what is refused takes everything around it along.
"""

_WHO = 'author { __typename login ... on User { databaseId } ... on Bot { databaseId } }'
_COMMENTS = """
pageInfo { hasPreviousPage startCursor }
nodes {
  databaseId body createdAt lastEditedAt viewerDidAuthor
  author { login }
  reactionGroups { content viewerHasReacted }
}
"""
_PULL = f"""
number body state isDraft createdAt headRefOid authorAssociation {_WHO}
repository {{ nameWithOwner }}
"""
_ISSUE = f"""
id number body state createdAt authorAssociation {_WHO}
repository {{ nameWithOwner }}
labels(first: 100) {{ nodes {{ name }} }}
assignees(first: 20) {{ nodes {{ login }} }}
comments(last: 100) {{ {_COMMENTS} }}
timelineItems(last: 100, itemTypes: [ASSIGNED_EVENT, LABELED_EVENT, UNLABELED_EVENT]) {{
  nodes {{
    __typename
    ... on AssignedEvent {{ createdAt assignee {{ ... on User {{ login }} }} }}
    ... on LabeledEvent {{ createdAt label {{ name }} }}
    ... on UnlabeledEvent {{ createdAt label {{ name }} }}
  }}
}}
closedByPullRequestsReferences(first: 5, includeClosedPrs: false) {{
  nodes {{
    {_PULL}
    last: commits(last: 1) {{ nodes {{ commit {{ committedDate }} }} }}
    comments(last: 30) {{ nodes {{ createdAt author {{ login }} }} }}
    reviews(last: 30) {{ nodes {{ submittedAt author {{ login }} }} }}
    timelineItems(last: 5, itemTypes: [READY_FOR_REVIEW_EVENT, HEAD_REF_FORCE_PUSHED_EVENT]) {{
      nodes {{
        ... on ReadyForReviewEvent {{ createdAt }}
        ... on HeadRefForcePushedEvent {{ createdAt }}
      }}
    }}
  }}
}}
"""
_ELSEWHERE = """
issues(first: 100, states: OPEN, filterBy: { assignee: $login }) {
  nodes {
    number createdAt
    assignees(first: 20) { nodes { login } }
    timelineItems(last: 50, itemTypes: [ASSIGNED_EVENT]) {
      nodes { ... on AssignedEvent { createdAt assignee { ... on User { login } } } }
    }
  }
}
"""
_ITEMS = """
projectItems(first: 10) {
  nodes {
    id
    project { id }
    fieldValues(first: 30) {
      nodes {
        ... on ProjectV2ItemFieldSingleSelectValue {
          name updatedAt field { ... on ProjectV2SingleSelectField { id } }
        }
      }
    }
  }
}
"""
_PROJECTS = """
projectsV2(first: 10) {
  nodes {
    id number
    fields(first: 50) {
      nodes { ... on ProjectV2SingleSelectField { id name options { id name } } }
    }
  }
}
"""
_AUTHORS = 'pageInfo { hasNextPage endCursor } nodes { name email user { databaseId login } }'
_COMMITS = f"""
pageInfo {{ hasNextPage endCursor }}
nodes {{ commit {{ id oid authors(first: 20) {{ {_AUTHORS} }} }} }}
"""
_CHECKED_PULL = f"""
id {_PULL}
labels(first: 100) {{ nodes {{ name }} }}
comments(last: 100) {{ {_COMMENTS} }}
commits(first: 100) {{ {_COMMITS} }}
last: commits(last: 1) {{
  nodes {{
    commit {{
      checkSuites(last: 20, filterBy: {{ checkName: $check }}) {{
        nodes {{
          checkRuns(last: 1, filterBy: {{ checkName: $check }}) {{
            nodes {{ status conclusion summary }}
          }}
        }}
      }}
    }}
  }}
}}
"""
_BLOB = '... on Blob { oid text isTruncated }'
_HOME = f"""
home: repository(owner: $homeOwner, name: $homeName) {{
  configuration: object(expression: $configuration) {{ {_BLOB} }}
}}
"""
_STORE = f"""
store: repository(owner: $storeOwner, name: $storeName) {{
  ref(qualifiedName: $storeBranch) {{ name }}
  signatures: object(expression: $storeFile) {{ {_BLOB} }}
}}
"""
_PLACE = '$owner: String!, $name: String!'
_HOME_AT = '$homeOwner: String!, $homeName: String!, $configuration: String!'
_STORE_AT = '$storeOwner: String!, $storeName: String!, $storeBranch: String!, $storeFile: String!'

#: A comment on an issue: the issue, its author's other issues, and the named pull request.
COMMENT_ON_ISSUE = f"""
query CommentOnIssue(
  {_PLACE}, {_HOME_AT}, $number: Int!, $login: String!, $pullName: String!, $pullNumber: Int!,
  $withPull: Boolean!
) {{
  viewer {{ login }}
  user(login: $login) {{ id }}
  {_HOME}
  repository(owner: $owner, name: $name) {{
    issue(number: $number) {{ {_ISSUE} }}
    elsewhere: {_ELSEWHERE.strip()}
  }}
  named: repository(owner: $owner, name: $pullName) @include(if: $withPull) {{
    pullRequest(number: $pullNumber) {{ {_PULL} }}
  }}
  board: repository(owner: $owner, name: $name) {{
    {_PROJECTS}
    issue(number: $number) {{ number {_ITEMS} }}
  }}
}}
"""

#: Any other event of an issue.
ISSUE = f"""
query Issue({_PLACE}, {_HOME_AT}, $number: Int!) {{
  viewer {{ login }}
  {_HOME}
  repository(owner: $owner, name: $name) {{ issue(number: $number) {{ {_ISSUE} }} }}
}}
"""

#: A pull request with its commits and check, and the signatures in their default place.
PULL = f"""
query Pull({_PLACE}, {_HOME_AT}, {_STORE_AT}, $number: Int!, $check: String!) {{
  viewer {{ login }}
  {_HOME}
  {_STORE}
  repository(owner: $owner, name: $name) {{ pullRequest(number: $number) {{ {_CHECKED_PULL} }} }}
}}
"""

#: A merged pull request with the issues that it closes.
MERGED_PULL = f"""
query MergedPull({_PLACE}, {_HOME_AT}, $number: Int!) {{
  viewer {{ login }}
  {_HOME}
  repository(owner: $owner, name: $name) {{
    pullRequest(number: $number) {{
      {_PULL}
      labels(first: 100) {{ nodes {{ name }} }}
      closingIssuesReferences(first: 20) {{ nodes {{ {_ISSUE} }} }}
    }}
  }}
  board: repository(owner: $owner, name: $name) {{
    {_PROJECTS}
    pullRequest(number: $number) {{
      closingIssuesReferences(first: 20) {{ nodes {{ number {_ITEMS} }} }}
    }}
  }}
}}
"""

#: The signatures alone, in the place of the configuration.
STORE = f'query Store({_STORE_AT}) {{ {_STORE} }}'

#: Whether an organisation has a team.
TEAM = """
query Team($organisation: String!, $team: String!) {
  organization(login: $organisation) { team(slug: $team) { slug } }
}
"""

#: The start of a sweep.
START_OF_SWEEP = f"""
query StartOfSweep({_PLACE}, {_HOME_AT}) {{
  viewer {{ login }}
  {_HOME}
  board: repository(owner: $owner, name: $name) {{ {_PROJECTS} }}
}}
"""

#: A page of open issues. The parts have the same order, so that the board is that of the issues.
OPEN_ISSUES = f"""
query OpenIssues({_PLACE}, $size: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    issues(
      first: $size, after: $after, states: OPEN, orderBy: {{ field: CREATED_AT, direction: ASC }}
    ) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ {_ISSUE} }}
    }}
  }}
  board: repository(owner: $owner, name: $name) {{
    issues(
      first: $size, after: $after, states: OPEN, orderBy: {{ field: CREATED_AT, direction: ASC }}
    ) {{
      nodes {{ number {_ITEMS} }}
    }}
  }}
}}
"""

#: A page of open pull requests.
OPEN_PULLS = f"""
query OpenPulls({_PLACE}, $size: Int!, $after: String, $check: String!) {{
  repository(owner: $owner, name: $name) {{
    pullRequests(
      first: $size, after: $after, states: OPEN, orderBy: {{ field: CREATED_AT, direction: ASC }}
    ) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ {_CHECKED_PULL} }}
    }}
  }}
}}
"""

#: Older comments of an issue or a pull request.
OLDER_COMMENTS = f"""
query OlderComments($id: ID!, $before: String) {{
  node(id: $id) {{
    ... on Issue {{ comments(last: 100, before: $before) {{ {_COMMENTS} }} }}
    ... on PullRequest {{ comments(last: 100, before: $before) {{ {_COMMENTS} }} }}
  }}
}}
"""

#: Further commits of a pull request.
MORE_COMMITS = f"""
query MoreCommits($id: ID!, $after: String) {{
  node(id: $id) {{
    ... on PullRequest {{ commits(first: 100, after: $after) {{ {_COMMITS} }} }}
  }}
}}
"""

MORE_AUTHORS = f"""
query MoreAuthors($id: ID!, $after: String) {{
  node(id: $id) {{
    ... on Commit {{ authors(first: 100, after: $after) {{ {_AUTHORS} }} }}
  }}
}}
"""

#: Assign, and read in the same call what is true afterwards.
ASSIGN = f"""
mutation Assign($issue: ID!, $user: ID!, $login: String!) {{
  addAssigneesToAssignable(input: {{ assignableId: $issue, assigneeIds: [$user] }}) {{
    assignable {{
      ... on Issue {{
        {_ISSUE}
        home: repository {{ elsewhere: {_ELSEWHERE.strip()} }}
      }}
    }}
  }}
}}
"""

#: Put an issue on a board.
ADD_TO_BOARD = """
mutation AddToBoard($project: ID!, $issue: ID!) {
  addProjectV2ItemById(input: { projectId: $project, contentId: $issue }) { item { id } }
}
"""

#: Move an item to a column.
SET_COLUMN = """
mutation SetColumn($project: ID!, $item: ID!, $field: ID!, $option: String!) {
  updateProjectV2ItemFieldValue(
    input: {
      projectId: $project, itemId: $item, fieldId: $field, value: { singleSelectOptionId: $option }
    }
  ) { projectV2Item { id } }
}
"""

#: A page of the repositories of an organisation or a person.
REPOSITORIES = """
query Repositories($login: String!, $after: String) {
  repositoryOwner(login: $login) {
    repositories(first: 100, after: $after, isArchived: false, ownerAffiliations: OWNER) {
      pageInfo { hasNextPage endCursor }
      nodes { nameWithOwner }
    }
  }
}
"""
