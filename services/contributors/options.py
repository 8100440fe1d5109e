"""The service's own settings, which are read from the environment of the process."""

import os
from collections.abc import Mapping
from typing import Any


def options(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Django settings of signing in with GitHub, which stays off without a client."""
    client = environ.get('CONTRIBUTORS_GITHUB_CLIENT_ID', '')
    secret = environ.get('CONTRIBUTORS_GITHUB_CLIENT_SECRET', '')
    app = {'client_id': client, 'secret': secret, 'key': ''}
    return {
        # Signing the agreement makes an account, also where BACKSTAY_SIGN_UP=0.
        'CONTRIBUTORS_SIGN_UP': environ.get('CONTRIBUTORS_SIGN_UP', '0') == '1',
        'SOCIALACCOUNT_ADAPTER': 'services.contributors.sign_in.GitHubAccounts',
        'SOCIALACCOUNT_PROVIDERS': {
            'github': {
                'APPS': [app] if client and secret else [],
                'SCOPE': ['read:user', 'user:email'],
                'OAUTH_PKCE_ENABLED': True,
            }
        },
        # An address alone never opens the account of somebody else: it has to be connected.
        'SOCIALACCOUNT_EMAIL_AUTHENTICATION': False,
        'SOCIALACCOUNT_STORE_TOKENS': False,
    }
