"""The public keys of an issuer of tokens, fetched from its JWKS address and kept while it is away."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import httpx
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api_gateway.domain.session import fingerprint
from common.kernel.failures import Transient
from common.telemetry.logs import logger

ALGORITHMS = ("RS256", "ES256")
REFRESH_SECONDS = 600.0
UNKNOWN_SECONDS = 30.0
"""How far apart unknown key ids may have the keys fetched."""
MOST_BYTES = 512 * 1024
MOST_KEYS = 100
STRONG_RSA_BITS = 2048
ANSWER_SECONDS = 5.0
log = logger()
PublicKey = RSAPublicKey | EllipticCurvePublicKey


@dataclass(frozen=True)
class VerifyingKey:
    """A public key and the only algorithm it verifies."""

    key: PublicKey
    algorithm: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


class Jwks:
    """`generation` changes whenever a key is new, changed or gone."""

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._transport = transport
        self._monotonic = monotonic
        self._keys: dict[str, VerifyingKey] | None = None
        self._asked = float("-inf")
        self._fetching = asyncio.Lock()
        self.generation = 0

    async def find(self, key_id: str) -> VerifyingKey | None:
        """The key of this id; an unknown one has the keys fetched, unless they just were.

        Raises `Transient` while no keys were ever fetched.
        """
        if self._keys is not None and key_id not in self._keys:
            await self._look_again()
        return (await self._known()).get(key_id)

    async def all(self) -> Collection[VerifyingKey]:
        """Those that were fetched last; raises `Transient` while none ever were."""
        return (await self._known()).values()

    async def refresh(self) -> None:
        """Fetch the keys; raises `Transient` and keeps what is known when they cannot be had."""
        async with self._fetching:
            await self._fetch()

    async def _known(self) -> Mapping[str, VerifyingKey]:
        if self._keys is None:
            await self._look_again()
        if self._keys is None:
            raise Transient("the keys that tokens are verified with cannot be fetched")
        return self._keys

    async def _look_again(self) -> None:
        arrived = self._monotonic()
        async with self._fetching:
            if self._asked >= arrived - UNKNOWN_SECONDS:
                return
            try:
                await self._fetch()
            except Transient as error:
                log.warning("token_keys.not_fetched", error=str(error))

    async def _fetch(self) -> None:
        self._asked = self._monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found = read_keys(await self._answer())
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            raise Transient(f"KABAR_JWKS_URL: {type(error).__name__}: {str(error)[:200]}") from error
        if _numbers(found) != _numbers(self._keys or {}):
            self.generation += 1
            log.info("token_keys.changed", keys=sorted(found))
        self._keys = found

    async def _answer(self) -> bytes:
        async with (
            httpx.AsyncClient(transport=self._transport, timeout=ANSWER_SECONDS) as client,
            client.stream("GET", self._url, headers={"Accept": "application/json"}) as response,
        ):
            if response.status_code != 200:
                raise ValueError(f"answered with {response.status_code}")
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise ValueError(f"is larger than {MOST_BYTES} bytes")
        return content


def read_keys(content: bytes) -> dict[str, VerifyingKey]:
    """The usable keys of a JWKS document by their id; raises `ValueError` when there is none."""
    document = orjson.loads(content)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError('is no JWKS document, like {"keys": […]}')  # noqa: TRY004 - the content is wrong
    found: dict[str, VerifyingKey] = {}
    for one in listed[:MOST_KEYS]:
        key = _read_key(one)
        if key is not None:
            found[one["kid"]] = key
    if not found:
        raise ValueError(f"has no signing key with a kid for {' or '.join(ALGORITHMS)}")
    return found


def _read_key(described: object) -> VerifyingKey | None:
    """`None` for what verifies nothing here: other kinds, weak ones, keys for encryption, symmetric ones."""
    if not isinstance(described, dict) or not isinstance(described.get("kid"), str) or "d" in described:
        return None
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(described.get("kty")))
    if algorithm is None or described.get("use", "sig") != "sig" or described.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK(described, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        log.warning("token_keys.unreadable", kid=described["kid"][:80], error=type(error).__name__)
        return None
    strong_rsa = isinstance(key, RSAPublicKey) and key.key_size >= STRONG_RSA_BITS
    p256 = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    return VerifyingKey(key, algorithm) if (strong_rsa if algorithm == "RS256" else p256) else None


def _numbers(keys: Mapping[str, VerifyingKey]) -> dict[str, object]:
    return {kid: one.key.public_numbers() for kid, one in keys.items()}
