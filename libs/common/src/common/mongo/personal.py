"""What Kabar holds of people: of each collection what names somebody or repeats what was said, how long it stays.

`HOLDINGS` has every collection there is. A field that says nothing of anybody is in `kept`, any other in `emptied`,
with what stands there afterwards; of the rest whole documents go. Who adds a field or a collection says so here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from common.mongo.collection import Document

GONE: Final = object()
"""Nothing stands there afterwards."""
CONTENTS_REMOVED = "its contents were removed"


@dataclass(frozen=True)
class Holding:
    """`stays` tells operators how long. In names of fields `a.b` is in a document, and `a[].b` in each of a list."""

    stays: str
    emptied: Mapping[str, object] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    deleted: bool = False


def _kept(names: str) -> frozenset[str]:
    return frozenset(names.split())


HOLDINGS: dict[str, Holding] = {
    "notifications": Holding(
        "emptied after the retention",
        {
            "message": None,
            "data": None,
            "audience": [],
            "audience_query.after": GONE,
            "subject": GONE,
            "stage": GONE,
            "created_by": "",
        },
        _kept(
            "_id type channels priority pages planned_pages recipients people rejected providers direct on_unknown "
            "unknown_wait_seconds send_at expires_at validity_seconds status wake_at planning estimated_finish "
            "template dedupe_seconds hours suppressible restored_at created_at untold announce_at announced_by "
            "contents_removed_at traceparent"
        ),
    ),
    "deliveries": Holding(
        "emptied after the retention, with its notification",
        {
            "recipient": "",
            "message": "",
            "subject_line": GONE,
            "reason": None,
            "timeline[].cause": "",
            "attempts[].error": None,
            "attempts[].provider_message_id": None,
            "attempts[].state_id": GONE,
            "called_off": CONTENTS_REMOVED,
            "called_off_code": GONE,
            "invoice_id": GONE,
            "dead_at": GONE,
        },
        _kept(
            "_id notification_id type channel template priority rank status route lane queued_at position wake_at "
            "expires_at validity_seconds send_at retries on_unknown unknown_wait_seconds direct failover "
            "possible_duplicate code attempt attempts_made round_from accepted_at created_at sent_at sent_by "
            "retried_at discarded_at hours suppressible delivered_at read_at proof_at announce_at announced_by "
            "revision contents_removed_at removed_by traceparent"
        ),
    ),
    "audience_pages": Holding(
        "deleted with its notification's contents, 30 days after acceptance at most", deleted=True
    ),
    "dedupe_keys": Holding("a digest, deleted when its window is over", deleted=True),
    "idempotency_keys": Holding("deleted after 7 days, or the retention where that is shorter", deleted=True),
    "early_requests": Holding("deleted when it was heard, 60 s later at most", deleted=True),
    "early_reports": Holding("deleted after 10 minutes", deleted=True),
    "webhook_inbox": Holding("deleted once RabbitMQ has taken it", deleted=True),
    "webhook_messages": Holding("deleted after 30 days, or the retention where that is shorter", deleted=True),
    "parked_envelopes": Holding(
        "deleted 30 days after it was replayed or discarded, or the retention where that is shorter; one that nobody "
        "came for in all that time is discarded without its body",
        {"body": "", "reason": CONTENTS_REMOVED, "earlier": GONE},
        _kept(
            "_id queue exchange routing_key body_bytes digest parked_at replays replayed_at replayed_by "
            "replaying_until discarded_at discarded_by traceparent"
        ),
    ),
    "recipient_gates": Holding("deleted after 2 days", deleted=True),
    "wishes": Holding("deleted after the retention, the opt-out stays", deleted=True),
    "suppressions": Holding(
        "until it is lifted; its note is emptied after the retention; of an erased person a keyed digest",
        {"note": None},
        _kept("_id reason created_by created_at listed_as"),
    ),
    "customers": Holding("as long as it is told, until somebody is erased"),
    "technicians": Holding("as long as it is told, until somebody is erased"),
    "staff": Holding("as long as it is told, until somebody is erased"),
    "tickets": Holding(
        "the texts of a settled one are emptied after the retention",
        {"title": GONE, "description": GONE, "note": GONE},
        _kept(
            "_id customer_id technician_id category area priority status opened_at deadline resolved_at rating told "
            "occasions changed_at found_as"
        ),
    ),
    "invoices": Holding(
        "the link of a settled one is emptied after the retention",
        {"payment_link": GONE},
        _kept(
            "_id customer_id number period amount issued_on due_date status paid_at payment_method told occasions "
            "changed_at found_as"
        ),
    ),
    "erasures": Holding("whom it is about until it is done; the rest 2 years", {"wanted": GONE, "person": GONE}),
    "erased_addresses": Holding("a keyed digest, deleted 2 years after the erasure", deleted=True),
    "audit_log": Holding("masked from the start; deleted after 2 years"),
    "packages": Holding("nothing of people"),
    "templates": Holding("nothing of people"),
    "routes": Holding("nothing of people"),
    "groups": Holding("nothing of people"),
    "group_lookups": Holding("nothing of people"),
    "senders": Holding("nothing of people"),
    "heartbeats": Holding("nothing of people"),
    "jobs": Holding("nothing of people"),
    "job_runs": Holding("nothing of people"),
    "job_requests": Holding("what is asked for until RabbitMQ has taken it; that it was asked for, 90 days"),
    "alerts": Holding("the number somebody is told by, until they were"),
    "leases": Holding("nothing of people"),
    "sessions": Holding("who is signed in at the admin page, deleted after 12 hours"),
    "sign_in_gates": Holding("digests, deleted after 2 days"),
    "secrets": Holding("nothing of people"),
    "api_keys": Holding("nothing of people"),
    "webhook_endpoints": Holding("nothing of people"),
}


def emptied(collection: str, *, but: frozenset[str] = frozenset(), **besides: object) -> list[Document]:
    """The update that leaves nothing of anybody in a document, `but` in these fields; `besides` is what it sets."""
    stages: list[Document] = []
    lists: dict[str, object] = {}
    removed = []
    written: Document = dict(besides)
    for name, value in HOLDINGS[collection].emptied.items():
        if name in but:
            continue
        within, listed, inner = name.partition("[].")
        if listed:
            into = {"field": inner, "input": lists.get(within, "$$one")}
            lists[within] = {"$setField": {**into, "value": "$$REMOVE" if value is GONE else {"$literal": value}}}
        elif value is GONE:
            removed.append(name)
        else:
            written[name] = {"$literal": value}
    for name, each in lists.items():
        written[name] = {"$map": {"input": f"${name}", "as": "one", "in": each}}
    stages.append({"$set": written})
    return [*stages, {"$unset": removed}] if removed else stages


def removed_contents(now: datetime, *, but: frozenset[str] = frozenset(), **besides: object) -> list[Document]:
    """The update of a delivery that leaves nothing of anybody in it, `but` in these fields, and nothing to send."""
    revision = {"$add": ["$revision", 1]}
    return emptied("deliveries", but=but, contents_removed_at=now, revision=revision, **besides)
