"""Somebody who issues tokens: keys, their JWKS document, and a server that shows it."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str = "one", *, bits: int = 2048) -> rsa.RSAPrivateKey:
    assert name
    return rsa.generate_private_key(65_537, bits)


@cache
def ec_key(name: str = "one") -> ec.EllipticCurvePrivateKey:
    assert name
    return ec.generate_private_key(ec.SECP256R1())


def described(key: PrivateKey, kid: str, **changes: Any) -> dict[str, Any]:
    """A key's public half as JWKS documents have it."""
    public = key.public_key()
    algorithm = RSAAlgorithm if isinstance(public, rsa.RSAPublicKey) else ECAlgorithm
    found: dict[str, Any] = json.loads(algorithm.to_jwk(public))  # type: ignore[arg-type]
    return {**found, "kid": kid, "use": "sig", **changes}


def signed(key: Any, algorithm: str, kid: str | None = "one", **claims: Any) -> str:
    """A token; a claim given as `None` is left out."""
    content = {"sub": "tester", "role": "admin", "exp": int(time.time()) + 600, **claims}
    content = {name: value for name, value in content.items() if value is not None}
    return jwt.encode(content, key, algorithm=algorithm, headers={} if kid is None else {"kid": kid})


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def forged(header: dict[str, Any], secret: bytes, **more: Any) -> str:
    """A token signed with HMAC under any header; libraries refuse to make some of these."""

    def part(content: bytes) -> bytes:
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    claims = {"sub": "x", "role": "admin", "exp": int(time.time()) + 60, **more}
    text = part(json.dumps(header).encode()) + b"." + part(json.dumps(claims).encode())
    signature = b"" if header["alg"] == "none" else hmac.new(secret, text, hashlib.sha256).digest()
    return (text + b"." + part(signature)).decode()


@dataclass
class Issuer:
    """What its JWKS address answers; `asked` counts."""

    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    asked: int = 0
    url: str = ""


@contextmanager
def running_issuer(*keys: dict[str, Any]) -> Iterator[Issuer]:
    issuer = Issuer(list(keys))

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            body = json.dumps({"keys": issuer.keys}).encode()
            self.send_response(issuer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield issuer
    server.shutdown()
    server.server_close()
    thread.join()
