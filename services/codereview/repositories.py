"""Repositories: read by anybody, created by the revisions that name them."""

from itertools import chain, count
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from services.codereview.api import ReviewView, is_storable, read_one, respond, respond_page
from services.codereview.documented import REPOSITORIES, REPOSITORY
from services.codereview.models import Repository
from services.codereview.options import option
from services.codereview.resources import RepositoryResource

MAX_SLUG = 50
#: Tries to create a repository while others create some.
_TRIES = 5


class RepositoryList(ReviewView):
    """The repositories, by slug."""

    @REPOSITORIES
    def get(self, request: Request, **_: Any) -> HttpResponseBase:
        """A page of them."""
        return respond_page(request, RepositoryResource)


class RepositoryDetail(ReviewView):
    """One repository."""

    @REPOSITORY
    def get(self, request: Request, id: str, **_: Any) -> HttpResponseBase:  # noqa: A002 the path's
        """By its number."""
        found = read_one(request, RepositoryResource, [{'field': 'id', 'value': id}])
        if found is None:
            raise Http404('No Repository matches the given query.')
        return respond(request, found)


def slug_of(url: str) -> str:
    """The slug of a repository that is created for its URL.

    >>> slug_of('https://hg.mozilla.org/projects/nss'), slug_of('https://github.com/a/b.git')
    ('projects_nss', 'a_b')
    """
    path = urlsplit(url).path.removeprefix('/').replace('/', '_')
    return path.removesuffix('.git')


class RepositoryUrl(serializers.CharField):
    """The URL of a repository that exists, or that may be created: what `repository_at` takes."""

    default_error_messages = {  # noqa: RUF012 as the fields of Django REST Framework have it
        'not_allowed': 'Repository base URL is not allowed.',
        'slug': 'No slug of 1 to 50 characters can be made of the URL.',
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=Repository._meta.get_field('url').max_length, **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """An empty text is no URL, and said to be null."""
        return super().run_validation(None if data == '' else data)

    def to_internal_value(self, data: Any) -> str:
        """The URL. It fails where no repository has it and none may be created for it."""
        url: str = super().to_internal_value(data)
        if not is_storable(url) or Repository.objects.filter(url=url).exists():
            return url  # a validator refuses the first
        try:
            host, slug = urlsplit(url).netloc, slug_of(url)
        except ValueError:  # a malformed IPv6 address
            self.fail('not_allowed')
        if host not in option('CODEREVIEW_HOSTS'):
            self.fail('not_allowed')
        if not 1 <= len(slug) <= MAX_SLUG:
            self.fail('slug')
        return url


def repository_at(url: str, field: str) -> Repository:
    """The repository with this URL, created when there is none: within the caller's transaction.

    Raises ValidationError for the field when others took one slug after the other meanwhile.
    """
    for _ in range(_TRIES):
        if found := Repository.objects.filter(url=url).first():
            return found
        try:
            with transaction.atomic():
                return Repository.objects.create(url=url, slug=_free_slug(slug_of(url)))
        except IntegrityError:
            continue
    raise serializers.ValidationError({field: ['No slug is free for the URL.']})


def _free_slug(slug: str) -> str:
    """The slug, or the first with a number behind it that no other repository has.

    `https://host/q/w` and `https://host/q/w.git` are two repositories whose slug would be the same.
    """
    numbered = (f'{slug[: MAX_SLUG - len(end)]}{end}' for end in (f'-{n}' for n in count(2)))
    return next(each for each in chain((slug,), numbered) if not _is_taken(each))


def _is_taken(slug: str) -> bool:
    return Repository.objects.filter(slug=slug).exists()
