"""What whoever operates Kabar asks of it: pure values like those of `requests`."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from kabar_client.answers import Accepted, Answer, Suppression
from kabar_client.operating_answers import (
    Alert,
    CheckedSender,
    Cleared,
    Discarded,
    Erasure,
    ErasureRequested,
    Held,
    Job,
    JobRun,
    Preview,
    Queue,
    Retried,
    RunRequested,
    Sender,
)
from kabar_client.requests import Call, Paged, key_header, page_of, page_query, path_part

A = TypeVar("A", bound=Answer)
QUEUE = "/admin/whatsapp-queue"
DEAD = "/api/dead-deliveries"


def senders() -> Call[list[Sender]]:
    return Call("GET", "/api/senders", lambda body: page_of(Sender, body)[0])


def act_on_sender(identity: str, act: str) -> Call[Sender]:
    return _post(f"/api/senders/{path_part(identity)}/{act}", Sender)


def check_sender(identity: str) -> Call[CheckedSender]:
    return _post(f"/api/senders/{path_part(identity)}/check", CheckedSender)


def queue() -> Call[Queue]:
    return Call("GET", f"{QUEUE}/status", Queue.model_validate)


def clear_queue(key: str | None) -> Call[Cleared]:
    return _post(f"{QUEUE}/clear", Cleared, key)


def hold_unfinished(key: str | None) -> Call[Held]:
    return _post("/admin/restored", Held, key)


def send_test(to: str | None, message: str | None, key: str | None) -> Call[Accepted]:
    given = {"to": to, "message": message}
    return _post(f"{QUEUE}/send-test", Accepted, key, {name: value for name, value in given.items() if value})


def retry_dead(ids: Sequence[str], key: str | None) -> Call[Retried]:
    return _post(f"{DEAD}/retry", Retried, key, {"ids": list(ids)})


def discard_dead(ids: Sequence[str], key: str | None) -> Call[Discarded]:
    return _post(f"{DEAD}/discard", Discarded, key, {"ids": list(ids)})


def suppression(recipient: str) -> Call[Suppression]:
    return Call("GET", f"/api/suppressions/{path_part(recipient)}", Suppression.model_validate)


def erase(named: Mapping[str, str | None], key: str | None, *, dry_run: bool) -> Call[ErasureRequested]:
    given = {name: value for name, value in named.items() if value is not None}
    return _post("/api/erasures", ErasureRequested, key, {**given, "dry_run": dry_run})


def erasure(identity: str) -> Call[Erasure]:
    return Call("GET", f"/api/erasures/{path_part(identity)}", Erasure.model_validate)


def preview_template(name: str) -> Call[Preview]:
    return _post(f"/api/templates/{path_part(name)}/preview", Preview)


def jobs() -> Call[list[Job]]:
    return Call("GET", "/api/jobs", lambda body: page_of(Job, body)[0])


def job_run(name: str, identity: str) -> Call[JobRun]:
    return Call("GET", f"/api/jobs/{path_part(name)}/runs/{path_part(identity)}", JobRun.model_validate)


def run_job(name: str, day: str | None, key: str | None, *, dry_run: bool) -> Call[RunRequested]:
    return _post(f"/api/jobs/{path_part(name)}/run", RunRequested, key, {"date": day, "dry_run": dry_run})


def alerts(status: str | None, cursor: str | None, limit: int) -> Call[Paged[Alert]]:
    query = page_query(cursor, limit) | ({} if status is None else {"status": status})
    return Call("GET", "/api/alerts", lambda body: page_of(Alert, body), query=query)


def _post(path: str, answer: type[A], key: str | None = None, body: Any = None) -> Call[A]:
    return Call("POST", path, answer.model_validate, json=body, headers=key_header(key))
