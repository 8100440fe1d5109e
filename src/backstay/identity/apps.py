"""The Django app of the accounts."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Accounts, API keys and callers."""

    name = 'backstay.identity'
    label = 'identity'
    verbose_name = 'Identity'
    default_auto_field = 'django.db.models.BigAutoField'

    def ready(self) -> None:
        from allauth.account.signals import password_changed, password_set
        from allauth.mfa.signals import authenticator_used
        from django.contrib.auth.signals import user_logged_in
        from django.core import checks

        from backstay.errors import translators
        from backstay.identity import openapi  # noqa: F401 drf-spectacular finds what is imported
        from backstay.identity.checks import check_scopes
        from backstay.identity.counters import problem_of
        from backstay.identity.recent import note_sign_in, renew_key
        from backstay.identity.replaced import replace
        from backstay.identity.second_factor import rotate_factors
        from backstay.identity.session_limits import note_start
        from backstay.identity.tokens import follow_session
        from backstay.identity.traces import listen
        from backstay.secret_keys import rotations

        replace()
        user_logged_in.connect(note_sign_in, dispatch_uid='backstay.identity.recent')
        authenticator_used.connect(renew_key, dispatch_uid='backstay.identity.recent')
        user_logged_in.connect(note_start, dispatch_uid='backstay.identity.session_limits')
        rotations['secrets of second factors'] = rotate_factors
        translators.append(problem_of)
        checks.register(check_scopes)
        listen()

        for changed in (password_changed, password_set):
            changed.connect(follow_session, dispatch_uid='backstay.identity.tokens')
