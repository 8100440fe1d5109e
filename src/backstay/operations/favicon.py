"""The icon that browsers ask for beside every page: a mast and the line that holds it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect width="16" height="16" rx="3" fill="#123a5e"/>'
    '<path d="M6 13V2l7 11" fill="none" stroke="#fff" stroke-width="1.5"/></svg>'
)


@require_safe
def favicon(_: HttpRequest) -> HttpResponse:
    """Return the icon, which browsers keep for a day."""
    headers = {'Cache-Control': 'public, max-age=86400'}
    return HttpResponse(_ICON, content_type='image/svg+xml', headers=headers)
