"""Who signs tokens in the local stack and in tests? Nobody else: a real deployment has its own identity provider."""

import contextlib
import json
import time
from collections.abc import Generator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from chassis.decider import record

KEY_ID = "local-1"


@record
class Persona:
    """Somebody who can be given a token: the claims that say for whom they act and as what."""

    user_ref: str
    org_type: str
    org_id: str
    role: str
    about: str = ""
    """Who this is, for people. Not in the token."""


class Issuer:
    """An ES256 key, the public half as a JWKS document, and tokens signed with it. Tokens use real time."""

    def __init__(self, url: str, key_pem: bytes | None = None, audience: str = "samordna") -> None:
        self.url, self.audience = url, audience
        loaded = load_pem_private_key(key_pem, None) if key_pem else generate_private_key(SECP256R1())
        assert isinstance(loaded, EllipticCurvePrivateKey)
        self._key = loaded

    def key_pem(self) -> bytes:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def jwks(self) -> dict[str, Any]:
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": KEY_ID, "alg": "ES256", "use": "sig"}]}

    def token(self, persona: Persona, valid_for: float = 3600, claims: Mapping[str, Any] | None = None) -> str:
        """A token for `persona`, valid for so many real seconds (may be negative). `claims` replace or add to it."""
        now = int(time.time())
        said: dict[str, Any] = {
            "iss": self.url,
            "aud": self.audience,
            "iat": now,
            "exp": now + int(valid_for),
            "sub": persona.user_ref,
            "org_type": persona.org_type,
            "org_id": persona.org_id,
            "role": persona.role,
            **(claims or {}),
        }
        return jwt.encode(said, self._key, algorithm="ES256", headers={"kid": KEY_ID})


@contextlib.contextmanager
def issuer_served() -> Generator[Issuer, None, None]:
    """An issuer whose keys are served over HTTP at `<url>/jwks.json`, inside the block."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(made.jwks()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    made = Issuer(f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
