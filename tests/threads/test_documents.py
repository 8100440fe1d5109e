"""Two documents at once: each has what its reader may do, also where views share a schema."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.urls import path
from rest_framework.test import APIRequestFactory

from backstay.docs import JsonDocumentView, service_docs_urls
from backstay.resources import view_set_of
from backstay.resources.openapi.auto_schema import ResourceSchema
from backstay.services import Service
from tests.rights.resources import SERVED
from tests.rights.site import AT_ITS_WORD, CallerAuthentication

#: Where documents that are made at the same moment wait for one another.
MEETING: list[Barrier] = []


class MeetingSchema(ResourceSchema):
    """Waits for another document in the middle of each operation."""

    def get_operation_id(self) -> str:
        for each in MEETING:
            each.wait(10)
        return super().get_operation_id()


VIEW = view_set_of(SERVED['works'], schema=MeetingSchema(), **AT_ITS_WORD)
DOCUMENT = JsonDocumentView.as_view(
    patterns=[path('works/', VIEW.as_view({'get': 'list'}, basename='work'))],
    authentication_classes=(CallerAuthentication,),
)


def document(view: Any, **headers: str) -> Any:
    """The document that the view gives."""
    try:
        return json.loads(view(APIRequestFactory().get('/', headers=headers)).render().content)
    finally:
        connections.close_all()


@pytest.fixture
def meeting() -> Any:
    """Two documents meet in each of their operations."""
    MEETING.append(Barrier(2))
    yield
    MEETING.clear()


def both(*asked: tuple[Any, dict[str, str]]) -> list[Any]:
    with ThreadPoolExecutor(len(asked)) as pool:
        return [*pool.map(lambda each: document(each[0], **each[1]), asked)]


def test_documents_of_callers_do_not_mix_in_a_schema_that_views_share(request: Any) -> None:
    asked = [(DOCUMENT, {'authorization': f'Caller {word}'}) for word in ('guest', 'root')]
    alone = [document(view, **headers) for view, headers in asked]
    assert alone[0] != alone[1]

    request.getfixturevalue('meeting')

    assert both(*asked) == alone


def test_documents_of_services_do_not_mix_their_titles(request: Any) -> None:
    views = []
    for name, version in (('one', '1.2.3'), ('two', '4.5.6')):
        service = Service(
            name=name,
            title=name.title(),
            description=f'About {name}.',
            version=version,
            apps=(),
            urls={},
            docs_path=f'{name}/docs',
            openapi_path=f'{name}.json',
        )
        (at, _) = service_docs_urls(service)
        about = {'patterns': [path('works/', VIEW.as_view({'get': 'list'}, basename='work'))]}
        views.append(JsonDocumentView.as_view(**{**at.callback.view_initkwargs, **about}))
    request.getfixturevalue('meeting')

    documents = both(*((view, {}) for view in views))

    assert [each['info'] for each in documents] == [
        {'title': 'One', 'description': 'About one.', 'version': '1.2.3'},
        {'title': 'Two', 'description': 'About two.', 'version': '4.5.6'},
    ]
