"""The audit in the admin: to look at."""

from django.contrib import admin

from backstay.audit.models import SecurityEvent
from backstay.audit.resources import SecurityEventResource
from backstay.resources.admin.registering import admin_of

admin.site.register(SecurityEvent, admin_of(SecurityEventResource))
