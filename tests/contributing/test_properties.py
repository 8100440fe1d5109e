"""What holds for every event, snapshot and interleaving."""

from collections.abc import Iterator
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from backstay.contributing import Config, decide
from backstay.contributing.commands import Assign, Comment, Noop
from backstay.contributing.configuration import Group, Labels, Limits
from backstay.contributing.events import (
    Assigned,
    Commented,
    Event,
    IssueLabelled,
    IssueOpened,
    IssueSwept,
    PullChanged,
    PullSwept,
)
from backstay.contributing.prompts import Wish, read_prompt
from backstay.contributing.snapshot import (
    Act,
    Assignment,
    Issue,
    Labelling,
    Person,
    Snapshot,
    Status,
    Store,
)
from tests.contributing.making import (
    AGREEMENT,
    BOB,
    DAY,
    NOW,
    author,
    commit,
    issue,
    pull,
    signature,
)
from tests.contributing.world import World

PEOPLE = [Person(login=f'p{n}', id=n) for n in range(1, 8)]
CONFIG = Config(
    limits=Limits(per_issue=2, per_person=2),
    labels=Labels(groups=(Group(name='type', labels=('bug', 'doc'), single=True, required=True),)),
    agreement=AGREEMENT,
)
WISHES = [*(wish.value for wish in Wish), 'link pr 12', 'unlink pr #12', 'hello', '> assign me']

people = st.sampled_from(PEOPLE)
ages = st.integers(0, 60).map(lambda days: NOW - timedelta(days=days))


@st.composite
def issues(draw: st.DrawFn, number: int = 7) -> Issue:
    """Any issue."""
    logins = draw(st.lists(st.sampled_from([each.login for each in PEOPLE]), unique=True))
    return issue(
        number=number,
        open=draw(st.booleans()),
        body=draw(st.sampled_from(['', 'It fails.'])),
        labels=tuple(draw(st.lists(st.sampled_from(['bug', 'doc', ':soap:', ':robot:'])))),
        labellings=tuple(
            Labelling(name='blocked: inside', since=since) for since in draw(st.lists(ages))
        ),
        assignments=tuple(
            Assignment(issue=number, login=login, at=draw(ages)) for login in logins[:3]
        ),
        has_board=draw(st.booleans()),
        status=draw(st.one_of(st.none(), st.sampled_from(Status))),
        acts=tuple(Act(login=login, at=draw(ages)) for login in logins),
    )


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Any event on issue 7 or pull request 12."""
    who = draw(people)
    on_pull = draw(st.booleans())
    number = 12 if on_pull else 7
    text = draw(st.sampled_from(WISHES))
    return draw(
        st.sampled_from(
            [
                Commented(
                    number=number, on_pull=on_pull, comment_id=9, author=who, text=text, at=NOW
                ),
                Assigned(number=7, comment_id=9, author=who),
                IssueOpened(number=7, author=who),
                IssueLabelled(number=7, added='doc'),
                IssueSwept(number=7),
                PullChanged(number=12, merged=draw(st.booleans())),
                PullSwept(number=12),
            ]
        )
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any two issues and a pull request."""
    who = draw(people)
    signers = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    store = Store(signatures=tuple(signature(each) for each in signers))
    return World(
        issues={7: draw(issues()), 8: draw(issues(number=8))},
        pull=pull(author=who, commits=(commit(author(draw(people))),)),
        store=draw(st.sampled_from([store, None, Store(exists=False)])),
    )


@given(worlds(), events())
def test_the_same_input_gives_the_same_commands(world: World, event: Event) -> None:
    snapshot = world.snapshot(event)

    first = decide(event, snapshot, CONFIG, NOW)

    assert first == decide(event, snapshot, CONFIG, NOW)
    assert first
    assert len([each for each in first if isinstance(each, Noop)]) in {0, len(first)}


@given(worlds(), events())
@settings(max_examples=120)
def test_performing_the_commands_twice_equals_once(world: World, event: Event) -> None:
    world.run(event, CONFIG)
    writes = world.writes

    again = world.run(event, CONFIG)

    assert [type(each) for each in again] == [Noop], again
    assert world.writes == writes


@given(worlds(), events())
def test_every_refusal_is_one_keyed_reply(world: World, event: Event) -> None:
    plan = decide(event, world.snapshot(event), CONFIG, NOW)

    keys = [each.key for each in plan if isinstance(each, Comment)]
    assert len(keys) == len(set(keys))
    assert all(keys)


@given(st.text(), worlds())
def test_an_ordinary_comment_is_a_noop(text: str, world: World) -> None:
    event = Commented(number=7, comment_id=9, author=BOB, text=text, at=NOW)

    if read_prompt(text) is None:
        assert decide(event, world.snapshot(event), CONFIG, NOW) == [
            Noop(reason='the comment is no prompt')
        ]
        # It is known before anything is read.
        assert decide(event, Snapshot(), CONFIG, NOW) == [Noop(reason='the comment is no prompt')]


@given(events())
def test_nothing_is_decided_without_a_read(event: Event) -> None:
    assert [type(each) for each in decide(event, Snapshot(), CONFIG, NOW)] == [Noop]


def wishing(world: World, who: Person, number: int, comment_id: int) -> Iterator[None]:
    """One run of `assign me`, which stops before each of its calls of GitHub."""
    event = Commented(
        number=number, comment_id=comment_id, author=who, text='assign me', at=world.now
    )
    yield
    plan = decide(event, world.snapshot(event), CONFIG, world.now)
    while True:
        for command in plan:
            yield
            world.perform(command)
        if not isinstance(plan[-1], Assign):
            return
        yield
        after = Assigned(number=number, comment_id=comment_id, author=who)
        plan = decide(after, world.snapshot(after), CONFIG, world.now)


@given(
    st.lists(st.tuples(st.sampled_from(PEOPLE[:4]), st.sampled_from([7, 8, 9])), max_size=7),
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=60),
)
@settings(max_examples=200)
def test_limits_hold_in_whatever_order_runs_read_and_write(
    wishes: list[tuple[Person, int]], schedule: list[tuple[int, bool]]
) -> None:
    world = World(issues={number: issue(number=number) for number in (7, 8, 9)})
    runs = [
        wishing(world, who, number, comment_id)
        for comment_id, (who, number) in enumerate(wishes, 100)
    ]

    def advance(position: int) -> None:
        if position < len(runs) and next(runs[position], 'done') == 'done':
            pass

    for position, ticks in schedule:
        advance(position)
        world.now += timedelta(seconds=ticks)
    for run in runs:
        for _ in run:
            pass

    taken = [each for place in world.issues.values() for each in place.assignments]
    for place in world.issues.values():
        assert len(place.assignments) <= CONFIG.limits.per_issue
    for person in PEOPLE:
        assert sum(each.login == person.login for each in taken) <= CONFIG.limits.per_person


@given(st.lists(st.integers(1, 4), max_size=40), st.sets(st.integers(0, 39), max_size=4))
def test_a_life_of_sweeps_warns_once_and_removes_no_sooner(
    steps: list[int], work: set[int]
) -> None:
    world = World(issues={7: issue(assignments=(Assignment(issue=7, login='p1', at=NOW),))})
    active, warned = NOW, None
    for number, days in enumerate(steps):
        world.now += days * DAY
        if number in work:
            active, warned = world.now, None
            world.issues[7] = issue(
                assignments=world.issues[7].assignments,
                said=world.issues[7].said,
                acts=(Act(login='p1', at=active),),
            )
        plan = world.run(IssueSwept(number=7), Config())
        kinds = [each.text.template for each in plan if isinstance(each, Comment)]
        if 'idle-warning' in kinds:
            assert warned is None
            assert world.now - active > 14 * DAY
            warned = world.now
        if 'idle-removed' in kinds:
            assert warned is not None
            assert world.now - warned > 7 * DAY
            return
    assert world.issues[7].assignments
