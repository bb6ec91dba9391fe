"""A client of the control API for tests and for whoever drives a demonstration."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from types import TracebackType

    from sandbox.ledger import ProviderName


@dataclass(slots=True, frozen=True)
class AcceptedMessage:
    """A message that a provider took. Times are Unix seconds; ``answered_at`` is none if the client got no answer.

    ``state`` is ``waiting pending processing sent failed expired cancelled``; ``call`` is the index of its call.
    """

    index: int
    provider: str
    device: str
    token_fingerprint: str
    call: int
    id: str
    recipient: str
    text: str
    ref_id: str | None
    state: str
    received_at: float
    answered_at: float | None


@dataclass(slots=True, frozen=True)
class ReceivedCall:
    """One HTTP call to a provider, accepted or not. ``recipient`` is a comma list for several, ``fault`` hit it."""

    index: int
    provider: str
    endpoint: str
    device: str
    token_fingerprint: str
    recipient: str
    accepted: int
    fault: str | None
    http_status: int | None
    received_at: float
    answered_at: float | None


class ControlRefusedError(Exception):
    """The control API did not understand; the text says what would have been right."""


class SandboxControl:
    """Drives the sandbox at ``base_url``, such as ``http://127.0.0.1:8090``.

    Providers are ``"fonnte"``, ``"wablas"`` and ``"email"``, the mail server. What arms a fault takes the same
    narrowing keywords (``endpoint device token recipient skip times share seed delay_seconds``, see
    ``sandbox.faults.fault.Fault``) and answers the fault's id for ``disarm``.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(base_url=self.base_url, timeout=90, trust_env=False)

    @property
    def fonnte_url(self) -> str:
        """Fonnte's base address; the send address is this and ``/send``."""
        return f"{self.base_url}/fonnte"

    @property
    def wablas_url(self) -> str:
        """Wablas' base address; v2 sending is this and ``/api/v2/send-message``."""
        return f"{self.base_url}/wablas"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def fail(
        self, provider: "ProviderName | str", *, reason: str, http_status: int | None = None, **narrowing: Any
    ) -> int:
        """Refuse with that reason, in the provider's dialect; ``GET /control/reasons`` has the documented ones."""
        return await self._arm("refuse", provider, reason=reason, http_status=http_status, **narrowing)

    async def answer_late(self, provider: "ProviderName | str", *, seconds: float, **narrowing: Any) -> int:
        """Accept at once (``accepted=False``: only afterwards) and answer after ``seconds``."""
        return await self._arm("late", provider, delay_seconds=seconds, **narrowing)

    async def hang(self, provider: "ProviderName | str", *, accepted: bool = False, **narrowing: Any) -> int:
        """Never answer, having taken the message or not."""
        return await self._arm("hang", provider, accepted=accepted, **narrowing)

    async def reset_connection(
        self, provider: "ProviderName | str", *, accepted: bool = False, **narrowing: Any
    ) -> int:
        """Reset the connection (RST) instead of answering, having taken the message or not."""
        return await self._arm("reset", provider, accepted=accepted, **narrowing)

    async def drop_after_acceptance(self, provider: "ProviderName | str", **narrowing: Any) -> int:
        """Take the message and close the connection (FIN) without an answer."""
        return await self._arm("drop", provider, accepted=True, **narrowing)

    async def drop_before_acceptance(self, provider: "ProviderName | str", **narrowing: Any) -> int:
        """Close the connection (FIN) without taking the message."""
        return await self._arm("drop", provider, accepted=False, **narrowing)

    async def cut_off(self, provider: "ProviderName | str", **narrowing: Any) -> int:
        """Take the message and close the connection in the middle of the answer."""
        return await self._arm("cut_off", provider, **narrowing)

    async def truncate(self, provider: "ProviderName | str", **narrowing: Any) -> int:
        """Take the message and answer complete HTTP with half of the JSON."""
        return await self._arm("truncate", provider, **narrowing)

    async def respond(
        self,
        provider: "ProviderName | str",
        *,
        http_status: int = 200,
        page: str = "html",
        body: str | None = None,
        accepted: bool = False,
        **narrowing: Any,
    ) -> int:
        """Answer that status with a page (``html empty json``) or body, having taken the message or not."""
        return await self._arm(
            "respond", provider, http_status=http_status, page=page, body=body, accepted=accepted, **narrowing
        )

    async def disarm(self, fault_id: int | None = None, *, provider: "ProviderName | str | None" = None) -> None:
        """Take one fault away, or a provider's, or all."""
        if fault_id is not None:
            await self._call("DELETE", f"/control/faults/{fault_id}")
        else:
            await self._call("DELETE", "/control/faults", query={"provider": provider})

    async def disconnect(self, provider: "ProviderName | str", *, device: str | None = None) -> None:
        """Disconnect all devices of a provider, or the one of that name."""
        await self._change_device(provider, device, connected=False)

    async def reconnect(self, provider: "ProviderName | str", *, device: str | None = None) -> None:
        """Connect them again; messages that were held go out."""
        await self._change_device(provider, device, connected=True)

    async def disconnect_after(
        self, provider: "ProviderName | str", messages: int, *, device: str | None = None
    ) -> None:
        """Disconnect once that many more messages have been accepted."""
        await self._change_device(provider, device, drops_after=messages)

    async def set_quota(self, provider: "ProviderName | str", quota: int, *, device: str | None = None) -> None:
        """Leave that many messages."""
        await self._change_device(provider, device, quota=quota)

    async def devices(self) -> list[dict[str, Any]]:
        """Every device with ``provider device number token_fingerprint connected quota used drops_after``."""
        return list((await self._call("GET", "/control/devices"))["items"])

    async def accepted(
        self,
        provider: "ProviderName | str | None" = None,
        *,
        recipient: str | None = None,
        device: str | None = None,
        state: str | None = None,
        since: int = 0,
        limit: int = 200_000,
        at_least: int = 0,
        wait_seconds: float = 10.0,
    ) -> list[AcceptedMessage]:
        """Accepted messages from index ``since`` on, oldest first.

        With ``at_least`` it waits until that many are found, and answers what there is after ``wait_seconds``.
        """
        query = {
            "provider": provider,
            "recipient": recipient,
            "device": device,
            "state": state,
            "since": since,
            "limit": limit,
            "at_least": at_least,
            "wait_seconds": wait_seconds,
        }
        answer = await self._call("GET", "/control/accepted", query=query)
        return [AcceptedMessage(**item) for item in answer["items"]]

    async def calls(
        self,
        provider: "ProviderName | str | None" = None,
        *,
        recipient: str | None = None,
        device: str | None = None,
        since: int = 0,
        limit: int = 200_000,
        at_least: int = 0,
        wait_seconds: float = 10.0,
    ) -> list[ReceivedCall]:
        """Calls from index ``since`` on, oldest first; ``at_least`` and ``wait_seconds`` as of ``accepted``."""
        query = {
            "provider": provider,
            "recipient": recipient,
            "device": device,
            "since": since,
            "limit": limit,
            "at_least": at_least,
            "wait_seconds": wait_seconds,
        }
        answer = await self._call("GET", "/control/calls", query=query)
        return [ReceivedCall(**item) for item in answer["items"]]

    async def mail_address(self) -> tuple[str, int]:
        """Where mails are taken."""
        answer = await self._call("GET", "/mail")
        return str(answer["host"]), int(answer["port"])

    async def mail_connections(self) -> int:
        """On how many connections mails came so far."""
        return int((await self._call("GET", "/mail"))["connections"])

    async def mails(
        self, to: str | None = None, *, at_least: int = 0, wait_seconds: float = 10.0
    ) -> list[dict[str, Any]]:
        """Mails with ``from to subject text html message_id attempt headers received_at raw``, oldest first."""
        query = {"to": to, "at_least": at_least, "wait_seconds": wait_seconds}
        return list((await self._call("GET", "/mail/messages", query=query))["items"])

    async def counts(self) -> dict[str, Any]:
        """``calls accepted`` per provider, ``repeated_recipients repeated_texts repeated_ref_ids``."""
        return await self._call("GET", "/control/counts")

    async def change_variants(self, provider: "ProviderName | str", **variants: Any) -> None:
        """Switch the dialect: fields of ``FonnteVariants`` or ``WablasVariants``."""
        await self._call("PATCH", f"/control/variants/{provider}", body=variants)

    async def set_pace(self, provider: "ProviderName | str", *, seconds: float, batch: int = 1) -> None:
        """Send ``batch`` messages every ``seconds`` of the simulation's clock; 0 sends at once."""
        await self._call("PUT", f"/control/pace/{provider}", body={"seconds": seconds, "batch": batch})

    async def run_clock_at(self, speed: float) -> None:
        """Run gaps, schedules, expiry and webhook retries that many times as fast as real time."""
        await self._call("PATCH", "/control/clock", body={"speed": speed})

    async def advance_clock(self, seconds: float) -> None:
        """Jump ahead on that clock."""
        await self._call("PATCH", "/control/clock", body={"advance_seconds": seconds})

    async def set_recipient_faults(self, *, enabled: bool) -> None:
        """Switch the table of example numbers that always fail."""
        await self._call("PUT", "/control/recipient-faults", body={"enabled": enabled})

    async def subscribe_webhooks(self, provider: "ProviderName | str", url: str, **manners: Any) -> None:
        """Send webhooks there; ``manners`` are fields of ``sandbox.webhooks.subscription.Subscription``."""
        await self._call("PUT", f"/control/webhooks/{provider}", body={"url": url, **manners})

    async def unsubscribe_webhooks(self, provider: "ProviderName | str") -> None:
        """Send none any more, and forget the journal."""
        await self._call("DELETE", f"/control/webhooks/{provider}")

    async def report_status(self, provider: "ProviderName | str", *, message_id: str, word: str) -> dict[str, Any]:
        """Send one more status event (also of an id that does not exist); gives its body."""
        body = {"message_id": message_id, "word": word}
        return dict((await self._call("POST", f"/control/webhooks/{provider}/status", body=body))["posted"])

    async def receive_message(self, provider: "ProviderName | str", *, sender: str, **message: Any) -> dict[str, Any]:
        """Pretend that a person wrote (``text kind inbox_id device``, kind ``personal group non_text echo``)."""
        body = {"sender": sender, **message}
        return dict((await self._call("POST", f"/control/webhooks/{provider}/incoming", body=body))["posted"])

    async def webhook_attempts(
        self, provider: "ProviderName | str", *, at_least: int = 0, wait_seconds: float = 10.0
    ) -> list[dict[str, Any]]:
        """Attempts with ``kind body number http_status outcome at``; waits for ``at_least`` of them."""
        query = {"at_least": at_least, "wait_seconds": wait_seconds}
        return list((await self._call("GET", f"/control/webhooks/{provider}/journal", query=query))["items"])

    async def reset(self) -> None:
        """Back to the state at the start: empty ledger, no faults, healthy devices."""
        await self._call("POST", "/control/reset")

    async def _arm(self, kind: str, provider: "ProviderName | str", **fault: Any) -> int:
        armed = await self._call("POST", "/control/faults", body={"kind": kind, "provider": provider, **fault})
        return int(armed["id"])

    async def _change_device(self, provider: "ProviderName | str", device: str | None, **change: Any) -> None:
        await self._call("PATCH", "/control/devices", body={"provider": provider, "device": device, **change})

    async def _call(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, query: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        content = {name: value for name, value in (body or {}).items() if value is not None} if body else None
        response = await self._http.request(method, path, params=asked, json=content)
        answer: dict[str, Any] = response.json()
        if response.is_error:
            raise ControlRefusedError(answer.get("error", response.text))
        return answer
