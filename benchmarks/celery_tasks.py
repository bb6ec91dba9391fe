"""The peer: the same job as a Celery 5 task, on the same RabbitMQ, MongoDB, provider and HTTP library."""

import os
from datetime import UTC, datetime
from typing import Any

import httpx
from celery import Celery
from celery.signals import worker_process_init
from pymongo import MongoClient

app = Celery("peer", broker=os.environ["RABBITMQ_URL"])
app.conf.update(
    task_acks_late=True,  # a killed worker loses nothing, as Kabar promises
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=32,
    broker_transport_options={"confirm_publish": True},
    task_default_queue="peer",
    worker_hijack_root_logger=False,
)

_connections: dict[str, Any] = {}


@worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery is untyped
def connect(**_: Any) -> None:
    """One connection pool a worker process, kept open."""
    _connections["http"] = httpx.Client(timeout=30, trust_env=False)
    client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGODB_URL"], w="majority")
    _connections["log"] = client.get_default_database()["peer_log"]


@app.task(name="send")  # type: ignore[untyped-decorator]  # Celery is untyped
def send(recipient: str, text: str, accepted_at: float) -> None:
    """One message: call the provider, log what came of it."""
    answer = _connections["http"].post(
        os.environ["FONNTE_API_URL"],
        data={"target": recipient, "message": text, "countryCode": "62"},
        headers={"Authorization": os.environ["FONNTE_API_TOKEN"]},
    )
    said = answer.json()
    _connections["log"].insert_one(
        {
            "recipient": recipient,
            "message": text,
            "status": "sent" if said["status"] is True else "failed",
            "provider_message_id": str(said.get("id")),
            "accepted_at": datetime.fromtimestamp(accepted_at, UTC),
            "sent_at": datetime.now(UTC),
        }
    )
