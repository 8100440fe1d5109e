"""The issuer of identities of workflows, on this machine."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

WORKFLOW = 'octo/shop/.github/workflows/deploy.yaml@refs/heads/main'


class Issuer:
    """Signs tokens of one workflow, and shows its key where GitHub shows its keys."""

    def __init__(self) -> None:
        self.key = generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        keys = json.dumps({'keys': [{**public, 'kid': 'one', 'use': 'sig'}]}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header('Content-Type', 'application/json')
                self.end_headers()
                self.wfile.write(keys)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.address = f'http://127.0.0.1:{self.server.server_port}'

    def token(self, **claims: str) -> str:
        """The token of a run, with other claims than usual."""
        now = int(time.time())
        usual = {
            'iss': self.address,
            'aud': 'https://api.example.com',
            'iat': now,
            'exp': now + 300,
            'repository': 'octo/shop',
            'repository_owner_id': '42',
            'job_workflow_ref': WORKFLOW,
        }
        return jwt.encode({**usual, **claims}, self.key, algorithm='RS256', headers={'kid': 'one'})

    def end(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
