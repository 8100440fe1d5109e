"""Django settings of signing in: django-allauth headless, passwords, mail and throttles."""

from email.utils import formataddr
from typing import Any
from urllib.parse import unquote, urlsplit

import django

from backstay.settings.environment import Environment
from backstay.settings.spans import parse_spans

APPS = (
    'allauth',
    'allauth.account',
    'allauth.headless',
    'allauth.mfa',
    'allauth.usersessions',
    'backstay.identity',
)

#: Behind Django's own authentication.
MIDDLEWARE = (
    'backstay.identity.session_limits.SessionLimitMiddleware',
    'allauth.account.middleware.AccountMiddleware',
    'backstay.identity.throttles.RateLimitMiddleware',
    'backstay.identity.headless.HeadlessMiddleware',
)

AUTHENTICATION_CLASSES = [
    'backstay.identity.authentication.BearerAuthentication',
    'backstay.identity.authentication.ApiKeyAuthentication',
    'backstay.identity.authentication.BasicAuthentication',
    'backstay.identity.authentication.SessionAuthentication',
]

#: Calls of one account, of one key, and of one address that is not signed in.
THROTTLE_RATES = {'account': '600/minute', 'key': '3000/minute', 'address': '300/minute'}


def throttles(environment: Environment) -> dict[str, Any]:
    """Return the throttles of views that name none: one that counts accounts and keys."""
    counts = environment.calls_by_account or environment.calls_by_key
    throttle = 'backstay.identity.throttles.SiteThrottle'
    return {'DEFAULT_THROTTLE_CLASSES': [throttle] if counts else []}


_DJANGO = 'django.contrib.auth.password_validation'
_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        'NAME': f'{_DJANGO}.UserAttributeSimilarityValidator',
        'OPTIONS': {'user_attributes': ('username', 'email', 'name')},
    },
    {'NAME': f'{_DJANGO}.MinimumLengthValidator', 'OPTIONS': {'min_length': 10}},
    {'NAME': f'{_DJANGO}.CommonPasswordValidator'},
    {'NAME': 'backstay.identity.passwords.MaximumLengthValidator'},
    {'NAME': 'backstay.identity.passwords.SiteWordsValidator'},
    {'NAME': 'backstay.identity.breached_passwords.BreachedPasswordValidator'},
]


def identity_settings(environment: Environment, title: str) -> dict[str, Any]:
    """Return all settings of allauth and of Django's authentication; `title` is the site's name."""
    front = environment.frontend_url or ''
    lives = parse_spans(environment.session_life).values()
    return {
        'AUTH_USER_MODEL': 'identity.Account',
        'AUTHENTICATION_BACKENDS': ['backstay.identity.passwords.PasswordBackend'],
        'PASSWORD_HASHERS': ['django.contrib.auth.hashers.Argon2PasswordHasher'],
        'AUTH_PASSWORD_VALIDATORS': _PASSWORD_VALIDATORS,
        **_ACCOUNT,
        **_SECOND_FACTOR,
        'SESSION_ENGINE': 'backstay.identity.session_store',
        # The cookie may last as long as any session; which ones do is decided by their limits.
        'SESSION_COOKIE_AGE': int(max(lives).total_seconds()),
        'HEADLESS_ONLY': True,
        'HEADLESS_SERVE_SPECIFICATION': True,
        'HEADLESS_SPECIFICATION_TEMPLATE_NAME': None,  # its page would load from another server
        'HEADLESS_TOKEN_STRATEGY': 'backstay.identity.tokens.TokenStrategy',
        # Pages that mails link to; without a front end, the paths that one would have.
        'HEADLESS_FRONTEND_URLS': {
            'account_signup': f'{front}/account/signup',
            'account_reset_password': f'{front}/account/password/reset',
            'account_reset_password_from_key': f'{front}/account/password/reset/{{key}}',
            'account_confirm_email': f'{front}/account/verify-email/{{key}}',
            'socialaccount_login_error': f'{front}/account/provider/callback',
        },
        'MFA_TOTP_ISSUER': title,
        **_mail(environment, title),
    }


_ACCOUNT: dict[str, Any] = {
    'ACCOUNT_ADAPTER': 'backstay.identity.adapters.AccountAdapter',
    'ACCOUNT_SIGNUP_FORM_CLASS': 'backstay.identity.adapters.SignupFields',
    'ACCOUNT_USER_DISPLAY': 'backstay.identity.adapters.display_name',
    'ACCOUNT_LOGIN_METHODS': {'email', 'username'},
    'ACCOUNT_SIGNUP_FIELDS': ['email*', 'password1*'],
    'ACCOUNT_UNIQUE_EMAIL': True,
    'ACCOUNT_CHANGE_EMAIL': True,  # one address, replaced once the new one is verified
    'ACCOUNT_PREVENT_ENUMERATION': True,
    'ACCOUNT_PRESERVE_USERNAME_CASING': False,
    # Codes, not links: they need no page of a front end, and no proxy or mail scanner uses them up.
    'ACCOUNT_EMAIL_VERIFICATION': 'mandatory',
    'ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED': True,
    'ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND': True,
    'ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED': True,
    'ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT': 10 * 60,
    'ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT': 10 * 60,
    'ACCOUNT_EMAIL_NOTIFICATIONS': True,
    'ACCOUNT_REAUTHENTICATION_REQUIRED': True,
    'ACCOUNT_EMAIL_SUBJECT_PREFIX': '',
    'ACCOUNT_SESSION_REMEMBER': True,
}

_SECOND_FACTOR: dict[str, Any] = {
    'MFA_ADAPTER': 'backstay.identity.adapters.SecondFactorAdapter',
    'MFA_SUPPORTED_TYPES': ['totp', 'recovery_codes', 'webauthn'],
    'MFA_PASSKEY_LOGIN_ENABLED': True,
    'MFA_TOTP_TOLERANCE': 1,  # a step before and after: clocks differ (RFC 6238, 5.2)
}


_BACKENDS = {
    'local': 'backstay.operations.mail.Terminal',
    'test': 'django.core.mail.backends.locmem.EmailBackend',
}


def _mail(environment: Environment, title: str) -> dict[str, Any]:
    """Return the settings of mail: SMTP with an address; else a console, and nowhere if deployed.

    Mails carry codes, which do not belong in the log of a deployed site: it gets a summary.
    """
    options: dict[str, Any] = {}
    if environment.email_url is None:
        backend = _BACKENDS.get(environment.env, 'backstay.operations.mail.Nowhere')
    else:
        backend = 'django.core.mail.backends.smtp.EmailBackend'
        url = urlsplit(environment.email_url.get_secret_value())
        options = {
            'host': url.hostname or 'localhost',
            'port': url.port or {'smtps': 465, 'smtp+tls': 587}.get(url.scheme, 25),
            'username': unquote(url.username or ''),
            'password': unquote(url.password or ''),
            'use_ssl': url.scheme == 'smtps',
            'use_tls': url.scheme == 'smtp+tls',
            'timeout': 10,
        }
    host = next(iter(environment.allowed_hosts), 'localhost').strip('*.') or 'localhost'
    own = formataddr((title, f'no-reply@{host}'))
    sender = {'DEFAULT_FROM_EMAIL': environment.mail_from or own}
    if django.VERSION >= (6, 1):
        return {**sender, 'MAILERS': {'default': {'BACKEND': backend, 'OPTIONS': options}}}
    return {
        **sender,
        'EMAIL_BACKEND': backend,
        **{_BEFORE_6_1[name]: value for name, value in options.items()},
    }


#: Options of a mailer by the names of the settings before Django 6.1.
_BEFORE_6_1 = {
    'host': 'EMAIL_HOST',
    'port': 'EMAIL_PORT',
    'username': 'EMAIL_HOST_USER',
    'password': 'EMAIL_HOST_PASSWORD',
    'use_ssl': 'EMAIL_USE_SSL',
    'use_tls': 'EMAIL_USE_TLS',
    'timeout': 'EMAIL_TIMEOUT',
}
