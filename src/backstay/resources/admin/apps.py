"""The Django app of the admin, which takes the place of `django.contrib.admin`."""

from django.contrib.admin.apps import AdminConfig


class LateAdminConfig(AdminConfig):
    """Django's admin, whose pages have an address whenever their model is registered."""

    default_site = 'backstay.resources.admin.site.LateAdminSite'
