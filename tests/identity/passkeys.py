"""A software authenticator: what a browser and the device in it answer (WebAuthn level 2)."""

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

#: Flags of the authenticator data (WebAuthn 6.1).
_PRESENT, _VERIFIED, _HAS_CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class Passkey:
    """One credential, used on pages of `origin`."""

    origin: str = 'https://testserver'
    #: Whether the device asks who is there, by finger or PIN.
    verifies: bool = True
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    uses: int = 0
    #: The public key in COSE's form; None for the real one.
    public: dict[int, Any] | None = None
    has_credential: bool = True

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.handle = b''

    def create(self, options: Any) -> dict[str, Any]:
        """What `navigator.credentials.create()` gives."""
        asked = options['publicKey']
        self.handle = websafe_decode(asked['user']['id'])
        public = self.public or dict(ES256.from_cryptography_key(self.key.public_key()))
        credential = bytes(16) + len(self.id).to_bytes(2, 'big') + self.id + cbor.encode(public)
        if self.has_credential:
            data = self._data(asked['rp']['id'], _HAS_CREDENTIAL) + credential
        else:
            data = self._data(asked['rp']['id'])
        attestation = cbor.encode({'fmt': 'none', 'attStmt': {}, 'authData': data})
        return self._answer(
            clientDataJSON=self._client_data('webauthn.create', asked),
            attestationObject=attestation,
        )

    def get(self, options: Any) -> dict[str, Any]:
        """What `navigator.credentials.get()` gives."""
        asked = options['publicKey']
        self.uses += 1
        data = self._data(asked['rpId'])
        client_data = self._client_data('webauthn.get', asked)
        signed = data + sha256(client_data).digest()
        return self._answer(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
            userHandle=self.handle,
        )

    def _data(self, rp_id: str, flags: int = 0) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        return sha256(rp_id.encode()).digest() + bytes([flags]) + self.uses.to_bytes(4, 'big')

    def _client_data(self, kind: str, asked: Any) -> bytes:
        said = {'type': kind, 'challenge': asked['challenge'], 'origin': self.origin}
        return json.dumps(said).encode()

    def _answer(self, **response: bytes) -> dict[str, Any]:
        name = websafe_encode(self.id)
        return {
            'id': name,
            'rawId': name,
            'type': 'public-key',
            'clientExtensionResults': {'credProps': {'rk': True}},
            'response': {key: websafe_encode(value) for key, value in response.items()},
        }
