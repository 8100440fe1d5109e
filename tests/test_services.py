"""Services: how a site finds those that it mounts, and where their URLs go."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.urls import Resolver404, resolve

from backstay.services import Service, find
from backstay.urls import site_urls

WriteService = Callable[..., dict[str, str]]


def resolve_in(patterns: list[Any], path: str) -> str:
    """What answers at the path: the module of the view."""
    urlconf = ModuleType('made_urlconf')
    urlconf.urlpatterns = patterns  # type: ignore[attr-defined]
    return resolve(path, urlconf=urlconf).func.__module__  # type: ignore[arg-type]


class TestFind:
    def test_gives_all_when_none_is_named(self, write_service: WriteService) -> None:
        modules = write_service('two', 'two/') | write_service('one', 'one/')

        assert [service.name for service in find(modules, ())] == ['two', 'one']

    def test_gives_those_named_in_the_order_of_their_names(
        self, write_service: WriteService
    ) -> None:
        modules = write_service('one', 'one/') | write_service('two', 'two/')

        assert [service.name for service in find(modules, ('two', 'one'))] == ['two', 'one']

    def test_does_not_import_what_is_not_named(self, write_service: WriteService) -> None:
        modules = write_service('one', 'one/') | {'broken': 'no_such_module'}

        assert [service.name for service in find(modules, ('one',))] == ['one']

    def test_refuses_unknown_names_and_tells_what_exists(self, write_service: WriteService) -> None:
        modules = write_service('one', 'one/') | write_service('two', 'two/')

        with pytest.raises(LookupError, match='unknown: six, ten; this site has: one, two'):
            find(modules, ('six', 'one', 'ten'))

    def test_refuses_a_prefix_that_two_claim(self, write_service: WriteService) -> None:
        modules = write_service('one', 'api/v1/') | write_service('two', 'two/', 'api/v1/')

        with pytest.raises(ValueError, match="two and one both claim the prefix 'api/v1/'"):
            find(modules, ())

    def test_allows_a_prefix_below_another(self, write_service: WriteService) -> None:
        modules = write_service('one', 'api/v1/') | write_service('two', 'api/v1/orders/')

        assert len(find(modules, ())) == 2


class TestUrls:
    @pytest.mark.parametrize('names', [('short', 'long'), ('long', 'short')])
    def test_a_longer_prefix_is_never_hidden_by_a_shorter_one(
        self, write_service: WriteService, settings: Any, names: tuple[str, ...]
    ) -> None:
        modules = write_service('short', 'api/v1/') | write_service('long', 'api/v1/orders/')
        settings.BACKSTAY_SERVICES = find(modules, names)

        patterns = site_urls()

        assert resolve_in(patterns, '/api/v1/orders/7') == 'made_long.urls'
        assert resolve_in(patterns, '/api/v1/products/7') == 'made_short.urls'

    def test_of_a_service_that_is_not_mounted_do_not_exist(
        self, write_service: WriteService, settings: Any
    ) -> None:
        modules = write_service('one', 'one/') | write_service('two', 'two/')
        settings.BACKSTAY_SERVICES = find(modules, ('one',))

        with pytest.raises(Resolver404):
            resolve_in(site_urls(), '/two/7')

    @pytest.mark.parametrize('path', ['/', '/admin/', '/docs/', '/docs.json', '/livez'])
    def test_of_the_site_itself_stand_above_every_service(
        self, write_service: WriteService, settings: Any, path: str
    ) -> None:
        modules = write_service('greedy', '')
        settings.BACKSTAY_SERVICES = find(modules, ())

        assert resolve_in(site_urls(), path) != 'made_greedy.urls'


class TestSite:
    def test_takes_its_services_from_the_environment(self, run_python: Any) -> None:
        ran = run_python('manage.py', 'check', ENV='test', SERVICES='listsum')

        assert ran.returncode == 0, ran.stderr

    def test_does_not_start_with_an_unknown_service(self, run_python: Any) -> None:
        ran = run_python('manage.py', 'check', ENV='test', SERVICES='listsum,lissum')

        assert ran.returncode != 0
        assert 'SERVICES: unknown: lissum; this site has:' in ran.stderr
        assert 'Traceback' not in ran.stderr


def test_a_service_owns_the_paths_below_its_prefixes() -> None:
    service = Service(name='one', title='One', apps=(), urls={'v1/': 'x', 'api/v1/one/': 'x'})

    assert service.owns('/v1/things')
    assert service.owns('/api/v1/one/')
    assert not service.owns('/api/v1/other/')
    assert not service.owns('/other/v1/')
