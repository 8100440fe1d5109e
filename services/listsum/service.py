"""What list-sum declares about itself."""

from backstay.services import Service

service = Service(
    name='listsum',
    title='List-sum',
    description='Does a target equal a sum of one number from each of two lists?',
    apps=('services.listsum',),
    urls={'api/v1/': 'services.listsum.urls'},
    docs_path='api/v1/docs',
    openapi_path='api/v1/openapi.json',
    any_origin=True,
)
