"""Redirects to the address with a slash at its end, without the loss of a body."""

from django.conf import settings
from django.core.exceptions import DisallowedRedirect
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware

_PROBES = frozenset({'/livez', '/readyz', '/__lbheartbeat__', '/__lbheartbeat__/'})


class SlashMiddleware(CommonMiddleware):
    """Django's CommonMiddleware, with a 308 where its 301 would turn a POST into a GET.

    Redirects only to an address that exists. Here too every request but a probe's has
    its Host checked against ALLOWED_HOSTS.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Reject an unknown Host.

        Probes and Prometheus call a process by its own address, which ALLOWED_HOSTS cannot know.
        """
        path = request.path_info
        if path in _PROBES or path == f'/{settings.BACKSTAY.metrics_path}' != '/':
            return None
        return super().process_request(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Redirect with 301 for GET and HEAD, and with 308 for methods whose body must arrive."""
        if response.status_code != 404 or not self.should_redirect_with_slash(request):
            return super().process_response(request, response)
        try:
            return HttpResponsePermanentRedirect(
                self.get_full_path_with_slash(request),
                preserve_request=request.method not in ('GET', 'HEAD'),
            )
        except DisallowedRedirect:  # longer than Django redirects to
            return response
