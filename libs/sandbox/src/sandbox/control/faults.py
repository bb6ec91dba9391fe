"""``/control/faults``: arm, list, disarm."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sandbox.control.answering import ControlEndpoint, OrjsonResponse, RefusedError, read_body, read_query
from sandbox.faults.fault import Fault
from sandbox.fonnte.dialect import REASONS as FONNTE_REASONS
from sandbox.ledger import ProviderName
from sandbox.wablas.dialect import REASONS as WABLAS_REASONS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.faults.plan import Armed


class WhichFaults(BaseModel):
    """Query of the list and of disarming: a provider or all."""

    model_config = ConfigDict(extra="forbid")

    provider: ProviderName | None = None


class Faults(ControlEndpoint):
    """All faults in force."""

    async def get(self, request: "Request") -> "Response":
        wanted = read_query(request, WhichFaults).provider
        armed = [entry for entry in self.world(request).faults.armed if wanted in {None, entry.fault.provider}]
        return OrjsonResponse({"items": [_as_json(entry) for entry in armed]})

    async def post(self, request: "Request") -> "Response":
        armed = self.world(request).faults.arm(await read_body(request, Fault))
        return OrjsonResponse(_as_json(armed), 201)

    async def delete(self, request: "Request") -> "Response":
        provider = read_query(request, WhichFaults).provider
        return OrjsonResponse({"disarmed": self.world(request).faults.disarm(provider=provider)})


class FaultById(ControlEndpoint):
    """One fault in force."""

    async def get(self, request: "Request") -> "Response":
        fault_id = request.path_params["fault_id"]
        for armed in self.world(request).faults.armed:
            if armed.id == fault_id:
                return OrjsonResponse(_as_json(armed))
        raise RefusedError(f"no fault {fault_id} is in force", http_status=404)

    async def delete(self, request: "Request") -> "Response":
        fault_id = request.path_params["fault_id"]
        if not self.world(request).faults.disarm(fault_id=fault_id):
            raise RefusedError(f"no fault {fault_id} is in force", http_status=404)
        return OrjsonResponse({"disarmed": 1})


class Reasons(ControlEndpoint):
    """Every documented refusal of each provider, with the HTTP status it comes with."""

    async def get(self, _: "Request") -> "Response":
        fonnte = [{"reason": reason, "http_status": 200, "meaning": text} for reason, text in FONNTE_REASONS.items()]
        wablas = [
            {"reason": reason, "http_status": status, "meaning": text}
            for reason, (status, text) in WABLAS_REASONS.items()
        ]
        return OrjsonResponse({"fonnte": fonnte, "wablas": wablas})


def _as_json(armed: "Armed") -> dict[str, Any]:
    content = armed.fault.model_dump(mode="json", exclude_none=True, exclude={"token"})
    return {"id": armed.id, **content, "hits": armed.hits, "hits_left": armed.hits_left}
