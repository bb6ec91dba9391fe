"""Bare clients that say exactly what goes over the wire."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

FONNTE_TOKEN = "sandbox-fonnte-token"
FONNTE_TOKEN_2 = "sandbox-fonnte-token-2"
FONNTE_ACCOUNT = "sandbox-fonnte-account-token"
WABLAS_CREDENTIAL = "sandbox-wablas-token.sandbox-wablas-secret"


@dataclass(frozen=True)
class FonnteClient:
    http: "httpx.AsyncClient"

    async def post(
        self, path: str, form: dict[str, Any] | None = None, *, token: str = FONNTE_TOKEN, **options: Any
    ) -> "httpx.Response":
        return await self.http.post(path, headers={"Authorization": token}, data=form, **options)

    async def send(
        self, target: str = "6281200000001", message: str = "Halo", *, token: str = FONNTE_TOKEN, **fields: Any
    ) -> dict[str, Any]:
        response = await self.post("/send", {"target": target, "message": message, **fields}, token=token)
        assert response.status_code == 200
        content: dict[str, Any] = response.json()
        return content

    async def send_json(self, content: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.post("/send", json=content)).json()
        return answer


@dataclass(frozen=True)
class WablasClient:
    http: "httpx.AsyncClient"

    async def call(
        self, method: str, path: str, *, credential: str = WABLAS_CREDENTIAL, **options: Any
    ) -> "httpx.Response":
        return await self.http.request(method, path, headers={"Authorization": credential}, **options)

    async def send(self, *items: dict[str, Any], **options: Any) -> "httpx.Response":
        wanted = list(items) or [{"phone": "6281200000001", "message": "Halo", "ref_id": "r1"}]
        return await self.call("POST", "/api/v2/send-message", json={"data": wanted}, **options)
