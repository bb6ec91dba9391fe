"""``/control/devices``: connection and quota of the simulated senders."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.control.answering import ControlEndpoint, OrjsonResponse, RefusedError, read_body
from sandbox.ledger import OF_WHATSAPP, ProviderName

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.devices import Device


class DeviceChange(BaseModel):
    """What to change on a provider's devices: all of them, or the one named or holding the token."""

    model_config = ConfigDict(extra="forbid")

    provider: Literal[ProviderName.FONNTE, ProviderName.WABLAS]
    device: str | None = None
    token: str | None = None
    connected: bool | None = None
    quota: Annotated[int, Field(ge=0)] | None = None
    drops_after: Annotated[int, Field(ge=1)] | None = None


class Devices(ControlEndpoint):
    """The devices of both providers."""

    async def get(self, request: "Request") -> "Response":
        world = self.world(request)
        return OrjsonResponse(
            {"items": [_as_json(device) for name in OF_WHATSAPP for device in world.provider(name).devices]}
        )

    async def patch(self, request: "Request") -> "Response":
        change = await read_body(request, DeviceChange)
        devices = self.world(request).provider(change.provider).devices
        chosen = [
            device
            for device in devices
            if change.device in {None, device.name} and change.token in {None, device.token}
        ]
        if not chosen:
            names = ", ".join(device.name for device in devices)
            raise RefusedError(f"{change.provider} has no such device; there are: {names}", http_status=404)
        for device in chosen:
            if change.quota is not None:
                device.quota = change.quota
            if change.drops_after is not None:
                device.drops_after = change.drops_after
            if change.connected is not None:
                device.set_connected(change.connected)
        return OrjsonResponse({"items": [_as_json(device) for device in chosen]})


def _as_json(device: "Device") -> dict[str, Any]:
    return {
        "provider": device.provider,
        "device": device.name,
        "number": device.number,
        "token_fingerprint": device.fingerprint,
        "connected": device.connected,
        "quota": device.quota,
        "used": device.used,
        "drops_after": device.drops_after,
    }
