"""The journal in the admin: to look at."""

from django.contrib import admin

from backstay.journal.models import Entry
from backstay.journal.resources import AuditResource
from backstay.resources.admin.registering import admin_of

admin.site.register(Entry, admin_of(AuditResource))
