"""Groups of labels: single choices and required ones."""

from backstay.contributing import decide, read_configuration
from backstay.contributing.commands import AddLabel, RemoveLabel
from backstay.contributing.events import IssueLabelled, IssueSwept
from backstay.contributing.snapshot import Labelling, Snapshot
from tests.contributing.making import DAY, NOW, issue, names

CONFIG = read_configuration("""
[[labels.groups]]
name = 'type'
labels = ['bug', 'feature', 'doc']
single = true

[[labels.groups]]
name = 'goal'
labels = ['2026: speed', '2026: rights']
required = true
""")
GOAL = '2026: speed'


def labelled(*labels: str, added: str | None = None, **facts):
    snapshot = Snapshot(issue=issue(labels=labels, **facts))
    return decide(IssueLabelled(number=7, added=added), snapshot, CONFIG, NOW)


def test_of_a_single_choice_the_label_just_added_stays() -> None:
    assert labelled('bug', 'feature', GOAL, added='bug') == [RemoveLabel(issue=7, label='feature')]
    assert labelled('bug', 'feature', GOAL, added='feature') == [RemoveLabel(issue=7, label='bug')]


def test_a_sweep_keeps_the_one_that_was_added_last() -> None:
    since = (Labelling(name='feature', since=NOW - DAY), Labelling(name='bug', since=NOW))
    snapshot = Snapshot(issue=issue(labels=('bug', 'feature', GOAL), labellings=since))

    commands = decide(IssueSwept(number=7), snapshot, CONFIG, NOW)

    assert commands == [RemoveLabel(issue=7, label='feature')]


def test_a_required_group_that_lacks_is_marked_until_it_is_there() -> None:
    assert labelled('bug') == [AddLabel(issue=7, label='needs: goal')]
    assert names(labelled('bug', 'needs: goal')) == ['Noop']
    assert labelled('needs: goal', GOAL) == [RemoveLabel(issue=7, label='needs: goal')]


def test_a_group_of_several_may_have_several() -> None:
    assert names(labelled(*CONFIG.labels.groups[1].labels)) == ['Noop']


def test_every_label_is_made_once() -> None:
    made = [label.name for label in CONFIG.labels.all()]

    assert len(made) == len(set(made))
    assert {':robot:', ':soap:', 'blocked: inside', 'bug', GOAL, 'needs: goal'} <= set(made)
