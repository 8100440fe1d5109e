"""Pages that answer odd input with words, where Django's own would fail."""

import re
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from backstay.errors import Problem

#: What a row may be called by; SQLite holds no larger number.
_KEY = re.compile(r'[0-9]{1,18}', re.ASCII)


class SafePages(admin.ModelAdmin):
    """A page whose actions take keys alone, and whose forms say what was taken meanwhile."""

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Run an action; what is no key counts as a row that is not there."""
        given = request.POST.copy()
        keys = [key for key in given.getlist(ACTION_CHECKBOX_NAME) if _KEY.fullmatch(key)]
        given.setlist(ACTION_CHECKBOX_NAME, keys)
        request.POST = given  # type: ignore[assignment]
        return super().response_action(request, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show and save a row; another may have taken its name since the form was checked."""
        try:
            with transaction.atomic():
                return super().changeform_view(request, *args, **kwargs)
        except Problem as problem:
            self.message_user(request, problem.detail, messages.ERROR)
        except IntegrityError:
            message = 'Another row has one of these values by now.'
            self.message_user(request, message, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
