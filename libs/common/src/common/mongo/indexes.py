"""Every index, in one place; each query of a hot path is answered by one of them."""

from datetime import UTC, datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

_HAS_LANE = {"lane": {"$gt": ""}}
_HAS_DEADLINE = {"wake_at": {"$exists": True}}
_UNTOLD = {"announce_at": {"$exists": True}}
_REQUESTED = {"attempt.state": "requested"}
_WAS_TRIED = {"attempts.provider": {"$gt": ""}}
_BY_MAIL = {"channel": "email"}
_RECEIVED = {"event": "message.received"}
_DEAD = {"dead_at": {"$exists": True}}
_IS_TRIED = {"attempt.provider": {"$gt": ""}}
_WAS_SENT = {"sent_at": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}}
_HAS_CONTENTS = {"created_by": {"$gt": ""}}
_ABOUT = {"subject": {"$gt": ""}}
_MANY = {"recipients": {"$gt": 1}}
_ERASED = {"removed_by": {"$gt": ""}}
_PHONED = IndexModel([("phone", ASCENDING), ("_id", ASCENDING)], name="by_phone")
_MAILED = IndexModel([("email", ASCENDING)], name="by_email", sparse=True)
_CHANGED = IndexModel([("changed_at", ASCENDING)], name="by_change")
_SEARCHED = IndexModel([("found_as", ASCENDING), ("_id", ASCENDING)], name="by_search")
_DAY = 24 * 3600
_WEEK = 7 * _DAY

INDEXES: dict[str, list[IndexModel]] = {
    "notifications": [
        IndexModel([("wake_at", ASCENDING)], name="deadline", partialFilterExpression=_HAS_DEADLINE),
        IndexModel([("announce_at", ASCENDING)], name="untold", partialFilterExpression=_UNTOLD),
        # What may have to lose its contents, the oldest first, and what is about somebody who is erased.
        IndexModel(
            [("created_at", ASCENDING), ("_id", ASCENDING)], name="with_contents", partialFilterExpression=_HAS_CONTENTS
        ),
        # What went to many, the newest first; of the others there are too many to list.
        IndexModel([("created_at", DESCENDING)], name="to_many", partialFilterExpression=_MANY),
        IndexModel([("subject", ASCENDING)], name="by_subject", partialFilterExpression=_ABOUT),
    ],
    "deliveries": [
        # The head of the lanes a provider serves, already in order: priority, then age, then place in its notification.
        IndexModel(
            [("lane", ASCENDING), ("rank", ASCENDING), ("queued_at", ASCENDING), ("position", ASCENDING)],
            name="lane_head",
            partialFilterExpression=_HAS_LANE,
        ),
        # Everything in between two states has a deadline, and the sweepers find what passed it here,
        # by what is waited for, so that a hundred thousand of one kind delay none of another.
        IndexModel(
            [("status", ASCENDING), ("lane", ASCENDING), ("wake_at", ASCENDING)],
            name="deadline",
            partialFilterExpression=_HAS_DEADLINE,
        ),
        IndexModel([("announce_at", ASCENDING)], name="untold", partialFilterExpression=_UNTOLD),
        # What waits for a person: how many by which channel and since when, and page by page. What was settled long ago
        # is not in it, and there is ever more of that.
        IndexModel([("dead_at", ASCENDING), ("channel", ASCENDING)], name="dead", partialFilterExpression=_DEAD),
        IndexModel(
            [("status", ASCENDING), ("_id", DESCENDING), ("type", ASCENDING), ("code", ASCENDING)],
            name="dead_pages",
            partialFilterExpression=_DEAD,
        ),
        # How many went out in a minute.
        IndexModel([("sent_at", ASCENDING)], name="by_sending", partialFilterExpression=_WAS_SENT),
        # What providers' reports call an attempt by; nothing is kept of deliveries that were never taken.
        IndexModel([("attempts.provider_message_id", ASCENDING)], name="by_message", sparse=True),
        IndexModel([("attempts.state_id", ASCENDING)], name="by_state", sparse=True),
        # How many attempts of a sender wait for its gateway.
        IndexModel([("attempt.sender", ASCENDING)], name="requested", partialFilterExpression=_REQUESTED),
        IndexModel([("notification_id", ASCENDING), ("status", ASCENDING)], name="progress"),
        IndexModel([("status", ASCENDING), ("_id", DESCENDING)], name="by_status"),
        IndexModel([("recipient", ASCENDING), ("_id", DESCENDING)], name="by_recipient"),
        IndexModel([("type", ASCENDING), ("_id", DESCENDING)], name="by_type"),
        IndexModel([("removed_by", ASCENDING)], name="by_erasure", partialFilterExpression=_ERASED),
        # The few that do not go by WhatsApp; of those that do nearly every one is found.
        IndexModel([("channel", ASCENDING), ("_id", DESCENDING)], name="by_mail", partialFilterExpression=_BY_MAIL),
        # How many of them are in each status: the others of it go by WhatsApp.
        IndexModel(
            [("status", ASCENDING), ("channel", ASCENDING)], name="mail_by_status", partialFilterExpression=_BY_MAIL
        ),
        # Through which provider it went, and goes: a search merges both, however few of many there are.
        IndexModel(
            [("attempts.provider", ASCENDING), ("_id", DESCENDING)],
            name="by_provider",
            partialFilterExpression=_WAS_TRIED,
        ),
        IndexModel(
            [("attempt.provider", ASCENDING), ("_id", DESCENDING)],
            name="by_current_provider",
            partialFilterExpression=_IS_TRIED,
        ),
        # Everything the statistics of the last days count: they are answered without reading a delivery.
        IndexModel(
            [
                ("accepted_at", ASCENDING),
                ("type", ASCENDING),
                ("status", ASCENDING),
                ("channel", ASCENDING),
                ("sent_by", ASCENDING),
                ("failover", ASCENDING),
            ],
            name="statistics",
        ),
    ],
    "alerts": [
        # Of a cause one is active at most, whoever notices it.
        IndexModel([("cause", ASCENDING)], name="active", unique=True, partialFilterExpression={"status": "active"}),
        IndexModel([("untold", ASCENDING)], name="untold", partialFilterExpression={"untold": {"$exists": True}}),
        IndexModel([("cause", ASCENDING), ("_id", DESCENDING)], name="by_cause"),
        IndexModel([("status", ASCENDING), ("_id", DESCENDING)], name="by_status"),
        IndexModel([("cleared_at", ASCENDING)], name="forget", expireAfterSeconds=366 * _DAY),
    ],
    "api_keys": [IndexModel([("revoked_at", ASCENDING)], name="by_end")],
    "audit_log": [
        IndexModel([("actor", ASCENDING), ("_id", DESCENDING)], name="by_actor"),
        IndexModel([("action", ASCENDING), ("_id", DESCENDING)], name="by_action"),
        IndexModel([("targets", ASCENDING), ("_id", DESCENDING)], name="by_target"),
        IndexModel([("at", ASCENDING)], name="forget", expireAfterSeconds=2 * 365 * _DAY),
    ],
    # Planned within moments of being accepted; nobody waits longer to be planned than the longest validity.
    "audience_pages": [IndexModel([("created_at", ASCENDING)], name="forget", expireAfterSeconds=30 * _DAY)],
    # The current version of a name is its highest one.
    "templates": [IndexModel([("type", ASCENDING), ("version", DESCENDING)], name="newest", unique=True)],
    # A group is known to each provider by one name, and no two groups by the same.
    "groups": [IndexModel([("known_as", ASCENDING)], name="by_name", unique=True, sparse=True)],
    "early_reports": [
        IndexModel([("retry_at", ASCENDING)], name="due"),
        IndexModel([("expires_at", ASCENDING)], name="forget", expireAfterSeconds=0),
    ],
    "job_runs": [
        IndexModel([("job", ASCENDING), ("due_at", DESCENDING), ("_id", DESCENDING)], name="by_job"),
        # What waits for a scheduler, or for the lease of one that died to end.
        IndexModel([("status", ASCENDING), ("due_at", ASCENDING)], name="by_status"),
        IndexModel([("due_at", ASCENDING)], name="forget", expireAfterSeconds=366 * _DAY),
    ],
    "recipient_gates": [IndexModel([("touched_at", ASCENDING)], name="forget", expireAfterSeconds=2 * _DAY)],
    "idempotency_keys": [IndexModel([("created_at", ASCENDING)], name="forget", expireAfterSeconds=_WEEK)],
    "webhook_messages": [
        # What is due at one endpoint, and what it was told lately.
        IndexModel([("endpoint_id", ASCENDING), ("status", ASCENDING), ("wake_at", ASCENDING)], name="due"),
        IndexModel([("endpoint_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="by_endpoint"),
        IndexModel([("created_at", ASCENDING)], name="forget", expireAfterSeconds=30 * _DAY),
        # What people wrote, word by word, which an erasure looks through: few among all that portals are told.
        IndexModel([("event", ASCENDING)], name="received", partialFilterExpression=_RECEIVED),
    ],
    "parked_envelopes": [
        IndexModel([("parked_at", DESCENDING), ("_id", DESCENDING)], name="by_time"),
        IndexModel([("queue", ASCENDING), ("parked_at", DESCENDING), ("_id", DESCENDING)], name="by_queue"),
        # What is done with is looked up for a while; what waits for somebody stays.
        IndexModel([("replayed_at", ASCENDING)], name="forget_replayed", expireAfterSeconds=30 * _DAY),
        IndexModel([("discarded_at", ASCENDING)], name="forget_discarded", expireAfterSeconds=30 * _DAY),
    ],
    # Requests that came before what they speak of, by when they are tried again.
    "early_requests": [IndexModel([("due_at", ASCENDING)], name="due")],
    # What jobs asked for, by when it is handed over.
    "job_requests": [
        IndexModel([("wake_at", ASCENDING)], name="due", partialFilterExpression=_HAS_DEADLINE),
        IndexModel([("forget_at", ASCENDING)], name="forget", expireAfterSeconds=0),
    ],
    "sessions": [IndexModel([("expires_at", ASCENDING)], name="forget", expireAfterSeconds=0)],
    "sign_in_gates": [IndexModel([("touched_at", ASCENDING)], name="forget", expireAfterSeconds=2 * _DAY)],
    "suppressions": [IndexModel([("listed_as", DESCENDING)], name="newest")],
    "wishes": [IndexModel([("at", ASCENDING)], name="by_time")],
    "erasures": [
        IndexModel([("wake_at", ASCENDING)], name="deadline", partialFilterExpression=_HAS_DEADLINE),
        IndexModel([("requested_at", ASCENDING)], name="forget", expireAfterSeconds=2 * 365 * _DAY),
    ],
    "erased_addresses": [IndexModel([("erased_at", ASCENDING)], name="forget", expireAfterSeconds=2 * 365 * _DAY)],
    "dedupe_keys": [IndexModel([("forget_at", ASCENDING)], name="forget", expireAfterSeconds=0)],
    # Active customers, all or of an area, page by page in the order of their identities.
    "customers": [
        IndexModel([("status", ASCENDING), ("_id", ASCENDING)], name="by_status"),
        IndexModel([("area", ASCENDING), ("status", ASCENDING), ("_id", ASCENDING)], name="by_area"),
        _PHONED,
        _MAILED,
        _SEARCHED,
    ],
    "staff": [IndexModel([("role", ASCENDING), ("_id", ASCENDING)], name="by_role"), _PHONED, _MAILED, _SEARCHED],
    "technicians": [IndexModel([("status", ASCENDING), ("_id", ASCENDING)], name="by_status"), _PHONED, _SEARCHED],
    "tickets": [
        IndexModel([("status", ASCENDING), ("deadline", ASCENDING)], name="by_deadline"),
        IndexModel([("customer_id", ASCENDING)], name="by_customer"),
        IndexModel([("technician_id", ASCENDING)], name="by_technician"),
        IndexModel([("opened_at", ASCENDING)], name="by_opening"),
        IndexModel([("resolved_at", ASCENDING)], name="by_resolution"),
        _CHANGED,
        _SEARCHED,
    ],
    "invoices": [
        IndexModel([("due_date", ASCENDING), ("status", ASCENDING), ("_id", ASCENDING)], name="by_due_date"),
        IndexModel([("customer_id", ASCENDING)], name="by_customer"),
        _CHANGED,
        _SEARCHED,
    ],
    "packages": [_SEARCHED],
}
