"""What code review declares about itself."""

from backstay.services import Service
from services.codereview.options import options

service = Service(
    name='codereview',
    title='Mozilla Code Review API',
    description=(
        'A bot publishes the issues that static analysis found in revisions; people look at them '
        'on [pages](/review/).'
    ),
    apps=('services.codereview', 'services.codereview.pages'),
    urls={'v1/': 'services.codereview.urls', 'review/': 'services.codereview.pages.urls'},
    docs_path='v1/docs/',
    openapi_path='v1/openapi.json',
    seeds='services.codereview.seeds.SEEDS',
    settings=options(),
)
