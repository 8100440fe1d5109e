"""A small world in which commands have their effect, to ask the engine again about what it did."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from backstay.contributing import Config, commands, decide
from backstay.contributing.commands import Command
from backstay.contributing.description import START
from backstay.contributing.events import Assigned, Commented, Event
from backstay.contributing.replies import key_of, text_of, with_key
from backstay.contributing.snapshot import Assignment, Check, Issue, Pull, Said, Snapshot, Store
from tests.contributing.making import NOW


@dataclass
class World:
    """Issues and one pull request; one second passes with each command."""

    issues: dict[int, Issue]
    pull: Pull | None = None
    store: Store | None = field(default_factory=Store)
    now: datetime = NOW
    reacted: set[int] = field(default_factory=set)
    writes: int = 0

    def snapshot(self, event: Event) -> Snapshot:
        """What is true now."""
        issue = self.issues.get(event.number)
        author = event.author.login if isinstance(event, Commented | Assigned) else None
        elsewhere = [
            each
            for number, other in self.issues.items()
            if number != event.number and other.open
            for each in other.assignments
            if each.login == author
        ]
        return Snapshot(
            issue=issue,
            pull=None if issue else self.pull,
            named=self.pull,
            reacted=getattr(event, 'comment_id', None) in self.reacted,
            elsewhere=tuple(elsewhere),
            closes=tuple(self.issues.values()),
            store=self.store,
        )

    def run(self, event: Event, config: Config) -> list[Command]:
        """Decide and perform; what follows an assignment is decided anew."""
        plan = decide(event, self.snapshot(event), config, self.now)
        for command in plan:
            self.perform(command)
        if isinstance(plan[-1], commands.Assign):
            assert isinstance(event, Commented)
            after = Assigned(number=event.number, comment_id=event.comment_id, author=event.author)
            return plan + self.run(after, config)
        return plan

    def perform(self, command: Command) -> None:
        """Give a command its effect."""
        self.writes += not isinstance(command, commands.Noop)
        match command:
            case commands.Assign(issue=n, login=login):
                if not self.issues[n].assignment_of(login):
                    new = Assignment(issue=n, login=login, at=self.now)
                    self._set(n, assignments=(*self.issues[n].assignments, new))
            case commands.Unassign(issue=n, login=login):
                left = [each for each in self.issues[n].assignments if each.login != login]
                self._set(n, assignments=tuple(left))
            case commands.SetStatus(issue=n, status=status):
                self._set(n, status=status, status_since=self.now)
            case commands.AddLabel(issue=n, label=label):
                self._set(n, labels=(*self.issues[n].labels, label))
            case commands.RemoveLabel(issue=n, label=label):
                self._set(n, labels=tuple(x for x in self.issues[n].labels if x != label))
            case commands.Comment(number=n, key=key, text=text):
                body = with_key(text, key)
                new_said = Said(
                    key=key_of(body), comment_id=self.writes, text=text_of(body), at=self.now
                )
                self._say(n, new_said)
            case commands.EditComment(comment_id=wanted, key=key, text=text):
                body = with_key(text, key)
                assert self.pull
                told = tuple(
                    replace(each, text=text_of(body)) if each.comment_id == wanted else each
                    for each in self.pull.said
                )
                self.pull = replace(self.pull, said=told)
            case commands.React(comment_id=comment_id):
                self.reacted.add(comment_id)
            case commands.WriteIssue(issue=n, body=body):
                assert START in body
                self._set(n, body=body)
            case commands.LinkPull(body=body) | commands.UnlinkPull(body=body):
                assert self.pull
                self.pull = replace(self.pull, body=body)
            case commands.CreateStore():
                self.store = Store()
            case commands.RecordSignature(signature=signature):
                assert self.store
                self.store = Store(signatures=(*self.store.signatures, signature))
            case commands.SetCheck(state=state, summary=summary):
                assert self.pull
                self.pull = replace(self.pull, check=Check(state=state, summary=summary))
            case commands.Noop():
                pass

    def _set(self, number: int, **facts: object) -> None:
        self.issues[number] = replace(self.issues[number], **facts)

    def _say(self, number: int, said: Said) -> None:
        if number in self.issues:
            self._set(number, said=(*self.issues[number].said, said))
        elif self.pull:
            self.pull = replace(self.pull, said=(*self.pull.said, said))
