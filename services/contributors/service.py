"""What contributors declares about itself."""

from backstay.services import Service
from services.contributors.options import options

service = Service(
    name='contributors',
    title='Contributors',
    description='Who has signed the contributor agreement, for people and for pipelines.',
    apps=(
        'services.contributors',
        'allauth.socialaccount',
        'allauth.socialaccount.providers.github',
    ),
    urls={
        'contributors/': 'services.contributors.urls',
        # Where GitHub sends people back to.
        'accounts/': 'services.contributors.callback',
    },
    docs_path='contributors/docs',
    openapi_path='contributors/openapi.json',
    personal_data='services.contributors.personal_data.SIGNED',
    settings=options(),
)
