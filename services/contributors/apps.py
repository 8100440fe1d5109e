"""The Django app of contributors."""

from django.apps import AppConfig


class ContributorsConfig(AppConfig):
    """Contributors, their verified addresses, agreements and signatures."""

    name = 'services.contributors'
    label = 'contributors'
    verbose_name = 'Contributors'

    def ready(self) -> None:
        from services.contributors import sign_in

        sign_in.connect()
