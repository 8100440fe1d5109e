"""Answers to comments: a reply or a thumb, once for each comment."""

from backstay.contributing.commands import Command, Comment, React
from backstay.contributing.events import Assigned, Commented
from backstay.contributing.replies import Safe, Text, mention
from backstay.contributing.snapshot import Said, Snapshot


def key_of_answer(comment_id: int) -> str:
    """Return the key of the reply to a comment."""
    return f'answer:{comment_id}'


def answered(event: Commented | Assigned, snapshot: Snapshot) -> bool:
    """Whether our thumb or our reply to the comment is there."""
    return snapshot.reacted or any(
        said.key == key_of_answer(event.comment_id) for said in said_in(snapshot)
    )


def said_in(snapshot: Snapshot) -> tuple[Said, ...]:
    """Return our comments under the issue or pull request of the event."""
    place = snapshot.issue or snapshot.pull
    return place.said if place else ()


def reply(event: Commented | Assigned, template: str, **values: Safe) -> Command:
    """Return a reply to the author of a comment."""
    return Comment(
        number=event.number,
        key=key_of_answer(event.comment_id),
        text=Text(template=template, values={'who': mention(event.author.login), **values}),
    )


def thumb(event: Commented | Assigned) -> Command:
    """Return the reaction that confirms a prompt."""
    return React(comment_id=event.comment_id)
