"""Two documents at once: each has what its reader may do, also where views share a schema."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident
from time import sleep
from typing import Any

from django.db import connections
from django.urls import path
from rest_framework.test import APIRequestFactory

from backstay.docs import JsonDocumentView, service_docs_urls
from backstay.resources import view_set_of
from backstay.resources.openapi.auto_schema import ResourceSchema
from backstay.services import Service
from tests.rights.resources import SERVED
from tests.rights.site import AT_ITS_WORD, CallerAuthentication

#: The threads that describe an operation now, and those that ever met another there.
PRESENT: set[int] = set()
MET: set[int] = set()


class SlowSchema(ResourceSchema):
    """Takes a while for each operation, and looks who else describes one."""

    def get_operation_id(self) -> str:
        me = get_ident()
        PRESENT.add(me)
        sleep(0.02)
        MET.update(PRESENT - {me})
        PRESENT.discard(me)
        return super().get_operation_id()


VIEW = view_set_of(SERVED['works'], schema=SlowSchema(), **AT_ITS_WORD)
DOCUMENT = JsonDocumentView.as_view(
    patterns=[path('works/', VIEW.as_view({'get': 'list'}, basename='work'))],
    authentication_classes=(CallerAuthentication,),
)


def document(view: Any, **headers: str) -> Any:
    """The document that the view gives."""
    try:
        return json.loads(view(APIRequestFactory().get('/', headers=headers)).content)
    finally:
        connections.close_all()


def at_once(*asked: tuple[Any, dict[str, str]]) -> list[Any]:
    """The documents that are asked for at the same moment; each is made by itself."""
    MET.clear()
    together = Barrier(len(asked))

    def ask(each: tuple[Any, dict[str, str]]) -> Any:
        together.wait(10)
        return document(each[0], **each[1])

    with ThreadPoolExecutor(len(asked)) as pool:
        documents = [*pool.map(ask, asked)]
    assert set() == MET
    return documents


def test_documents_of_callers_do_not_mix_in_a_schema_that_views_share() -> None:
    asked = [(DOCUMENT, {'authorization': f'Caller {word}'}) for word in ('guest', 'root')]
    alone = [document(view, **headers) for view, headers in asked]
    assert alone[0] != alone[1]

    assert at_once(*asked) == alone


def test_documents_of_services_do_not_mix_their_titles() -> None:
    services = [
        Service(
            name=name,
            title=name.title(),
            description=f'About {name}.',
            version=f'{number}.0.0',
            apps=(),
            urls={},
            docs_path=f'{name}/docs',
            openapi_path=f'{name}.json',
        )
        for number, name in enumerate(('one', 'two', 'three', 'four', 'five', 'six'))
    ]
    patterns = [path('works/', VIEW.as_view({'get': 'list'}, basename='work'))]
    views = []
    for service in services:
        own: Any = service_docs_urls(service)[0].callback
        views.append(JsonDocumentView.as_view(**{**own.view_initkwargs, 'patterns': patterns}))
    documents = at_once(*((view, {}) for view in views))

    assert [each['info'] for each in documents] == [
        {'title': each.title, 'description': each.description, 'version': each.version}
        for each in services
    ]
