"""What code review declares about itself."""

from backstay.services import Service
from services.codereview.options import options

service = Service(
    name='codereview',
    title='Mozilla Code Review API',
    description=(
        'A bot publishes the issues that static analysis found in revisions; people look at them.'
    ),
    apps=('services.codereview',),
    urls={'v1/': 'services.codereview.urls'},
    docs_path='v1/docs/',
    openapi_path='v1/openapi.json',
    settings=options(),
)
