"""The declaration of the sample service."""

from backstay.services import Service

service = Service(
    name='sample',
    title='Sample',
    apps=(),
    urls={'sample/': 'sample_site.urls'},
    docs_path='sample/docs',
    openapi_path='sample/openapi.json',
    demo='sample_site.demo.load',
)
