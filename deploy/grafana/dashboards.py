"""The dashboards of Kabar: python deploy/grafana/dashboards.py writes them into deploy/grafana/dashboards.

A dashboard is rows of panels, a panel a title, what it tells, its unit and its queries: what Grafana wants to know
besides is the same for all of them. Replicas that tell the same (how long the queue is) are looked at by `max`, what
each of them counts is summed up.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH = 24
RATE = "[$__rate_interval]"
SENT = 'delivery_settled_total{status="sent"}'


@dataclass(frozen=True)
class Panel:
    """`queries` are pairs of an expression and what its lines are called; `kind` is Grafana's word for its looks."""

    title: str
    says: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    most: float | None = None
    red_from: float | None = None
    red_below: float | None = None


def stat(title: str, says: str, query: str, *, unit: str = "short", **colours: float) -> Panel:
    return Panel(title, says, [(query, "")], unit, "stat", **colours)


def states(title: str, says: str, query: str, legend: str) -> Panel:
    """What is 1 or 0 at a time; red is 1."""
    return Panel(title, says, [(query, legend)], "none", "state-timeline", red_from=1)


def rate(metric: str, *by: str, factor: str = "") -> str:
    return f"sum by ({', '.join(by)}) (rate({metric}{RATE})){factor}" if by else f"sum(rate({metric}{RATE})){factor}"


def quantile(share: float, metric: str, *by: str) -> str:
    return f"histogram_quantile({share}, sum by ({', '.join(('le', *by))}) (rate({metric}_bucket{RATE})))"


@dataclass(frozen=True)
class Row:
    title: str
    panels: Sequence[Panel]
    height: int = 8


OVERVIEW = [
    Row(
        "Now",
        [
            stat("Sent, of what ended", "Within 15 minutes; the rest failed, expired or is unknown.",
                 "kabar:delivery_success:share15m", unit="percentunit", red_below=0.9),
            stat("Sent a minute", "By all senders together.", rate(SENT, factor=" * 60")),
            stat("Messages waiting", "Deliveries in a lane.", "sum(max by (channel, priority) (delivery_queued))"),
            stat("Oldest waiting", "Whatever its priority.", "max(delivery_queued_oldest_seconds)", unit="s"),
            stat("Senders to be used", "Neither paused nor out.", "sum(max by (sender) (sender_available))",
                 red_below=1),
            stat("Alerts firing", "Each has a page in docs/runbooks.",
                 'count(ALERTS{alertstate="firing"}) or vector(0)', red_from=1),
        ],
        height=4,
    ),
    Row(
        "Messages",
        [
            Panel("Notifications accepted a minute", "By type.",
                  [(rate("notification_accepted_total", "type", factor=" * 60"), "{{type}}")]),
            Panel("Deliveries ended a minute", "By how they ended; what people cancel is not in it.",
                  [(rate("delivery_settled_total", "status", factor=" * 60"), "{{status}}")]),
            Panel("Recipients refused a minute", "Numbers of a list that cannot be one, by code.",
                  [(rate("recipient_rejected_total", "code", factor=" * 60"), "{{code}}"),
                   (rate("recipient_accepted_total", factor=" * 60"), "accepted")]),
        ],
    ),
    Row(
        "How fast",
        [
            Panel("Seconds to sent, half of them", "From accepted to taken by a provider, by priority.",
                  [(quantile(0.5, "delivery_sent_seconds", "priority"), "{{priority}}")], "s"),
            Panel("Seconds to sent, 95 of 100", "From accepted to taken by a provider, by priority.",
                  [(quantile(0.95, "delivery_sent_seconds", "priority"), "{{priority}}")], "s"),
            Panel("Failover", "Handed to the next provider, of what was sent.",
                  [(f"{rate('delivery_failover_total')} / {rate(SENT)}", "share")], "percentunit"),
        ],
    ),
    Row(
        "Queue",
        [
            Panel("Waiting", "By priority.",
                  [("sum by (priority) (max by (channel, priority) (delivery_queued))", "{{priority}}")]),
            Panel("Age of the oldest", "By priority.",
                  [("max by (priority) (delivery_queued_oldest_seconds)", "{{priority}}")], "s"),
            Panel("Planned a minute", "Deliveries made of notifications, and handed to senders.",
                  [(rate("delivery_planned_total", factor=" * 60"), "planned"),
                   (rate("delivery_claimed_total", factor=" * 60"), "claimed")]),
        ],
    ),
    Row(
        "Afterwards",
        [
            Panel("Providers' reports a minute", "By what they say.",
                  [(rate("delivery_report_total", "reported", factor=" * 60"), "{{reported}}")]),
            Panel("Portals told a minute", "Calls of outgoing webhooks by what became of them.",
                  [(rate("webhook_call_total", "outcome", factor=" * 60"), "{{outcome}}")]),
            Panel("What is wrong", "Alerts that Kabar itself has raised, and those nobody could be told of.",
                  [("max by (cause) (alert_active)", "{{cause}}"), ("max(alert_untold)", "untold")]),
        ],
    ),
]  # fmt: skip

PROVIDERS = [
    Row(
        "Attempts",
        [
            Panel("Attempts a minute", "By provider and outcome.",
                  [(rate("attempt_finished_total", "provider", "outcome", factor=" * 60"),
                    "{{provider}} {{outcome}}")]),
            Panel("Failures a minute", "By provider and what was wrong.",
                  [(rate('attempt_finished_total{outcome="failed"}', "provider", "code", factor=" * 60"),
                    "{{provider}} {{code}}")]),
            Panel("Unknown outcomes a minute", "Taken by a provider that never told what became of them.",
                  [(rate("attempt_unknown_total", "provider", factor=" * 60"), "{{provider}}")]),
        ],
    ),
    Row(
        "How fast they answer",
        [
            Panel("Seconds, half of the calls", "From the request's first byte to the outcome.",
                  [(quantile(0.5, "attempt_duration_seconds", "provider"), "{{provider}}")], "s"),
            Panel("Seconds, 95 of 100", "From the request's first byte to the outcome.",
                  [(quantile(0.95, "attempt_duration_seconds", "provider"), "{{provider}}")], "s"),
            Panel("Calls late for their slot", "99 of 100 are less late than that.",
                  [(quantile(0.99, "slot_lateness_seconds", "provider"), "{{provider}}")], "s"),
        ],
    ),
    Row(
        "Senders",
        [
            states("Out", "Its circuit is open, or being tried.",
                   'max by (sender) (sender_circuit_state{state=~"open|half_open"})', "{{sender}}"),
            states("Paused", "Somebody stopped it.", "max by (sender) (sender_paused)", "{{sender}}"),
            states("Not to be used", "Paused, out, or its gateway does not show life.",
                   "1 - max by (sender) (sender_available)", "{{sender}}"),
        ],
    ),
    Row(
        "Quota and limits",
        [
            Panel("Quota left", "Messages, by the provider's word.",
                  [("min by (sender) (sender_quota_remaining)", "{{sender}}"),
                   ("min by (sender) (sender_quota_total)", "{{sender}}, after the last top-up")]),
            Panel("Limits used", "Share of each window; at 1 it waits.",
                  [("max by (sender, window) (sender_limit_used / sender_limit)", "{{sender}} {{window}}")],
                  "percentunit", "bargauge", most=1, red_from=1),
            Panel("Waiting at the gate", "Times a minute, by what for: the gap, or a window that is full.",
                  [(rate("gate_wait_total", "sender", "cause", factor=" * 60"), "{{sender}} {{cause}}")]),
        ],
    ),
    Row(
        "What they tell",
        [
            Panel("Webhooks a minute", "By what became of them.",
                  [(rate("webhook_received_total", "provider", "taken", factor=" * 60"), "{{provider}} {{taken}}")]),
            Panel("Reports a minute", "By what they changed.",
                  [(rate("delivery_report_total", "provider", "effect", factor=" * 60"), "{{provider}} {{effect}}")]),
            Panel("Calls a minute", "As the gateways count them.",
                  [(rate("call_finished_total", "provider", "state", factor=" * 60"), "{{provider}} {{state}}")]),
        ],
    ),
]  # fmt: skip

PIPELINE = [
    Row(
        "Processes",
        [
            Panel("Processes that answer", "By service.", [("sum by (service) (up)", "{{service}}")]),
            states("Not reached", "RabbitMQ or MongoDB, by any process of a service.",
                   '1 - min by (service, check) (readiness_check_passed{check=~"rabbitmq|mongodb"})',
                   "{{service}} {{check}}"),
            Panel("Memory", "By service.", [("sum by (service) (process_resident_memory_bytes)", "{{service}}")],
                  "bytes"),
            Panel("Processor", "Seconds a second, by service.",
                  [(rate("process_cpu_seconds_total", "service"), "{{service}}")], "short"),
        ],
    ),
    Row(
        "The API",
        [
            Panel("Requests a second", "By status.", [(rate("http_request_total", "status"), "{{status}}")], "reqps"),
            Panel("Seconds to answer, 95 of 100", "By route.",
                  [(quantile(0.95, "http_request_duration_seconds", "route"), "{{route}}")], "s"),
            Panel("Seconds to answer", "All routes.",
                  [(quantile(share, "http_request_duration_seconds"), f"{share:.0%}") for share in (0.5, 0.95, 0.99)],
                  "s"),
        ],
    ),
    Row(
        "RabbitMQ",
        [
            Panel("Ready", "Envelopes nobody has taken, by queue.",
                  [("max by (queue) (rabbitmq_detailed_queue_messages_ready)", "{{queue}}")]),
            Panel("Consumers", "By queue; 0 is nobody.",
                  [("max by (queue) (rabbitmq_detailed_queue_consumers)", "{{queue}}")]),
            Panel("Handled a second", "By queue.", [(rate("envelope_handled_total", "queue"), "{{queue}}")]),
            Panel("Oldest in hand", "How long an envelope is being handled, by queue.",
                  [("max by (queue) (envelope_handling_oldest_seconds)", "{{queue}}")], "s"),
        ],
    ),
    Row(
        "What goes wrong",
        [
            Panel("Parked an hour", "Envelopes that wait for a person, by queue.",
                  [("sum by (queue) (increase(envelope_parked_total[1h]))", "{{queue}}")]),
            Panel("Retries a minute", "Rounds through the providers begun again after a wait.",
                  [(rate("delivery_retry_total", factor=" * 60"), "retries")]),
            Panel("Deadlines passed a minute", "What a sweeper drove on, by the status it was found in.",
                  [(rate("delivery_woken_total", "status", factor=" * 60"), "{{status}}")]),
            Panel("RabbitMQ takes nothing more", "1 while its memory or its disk is nearly used up.",
                  [("max(rabbitmq_alarms_memory_used_watermark)", "memory"),
                   ("max(rabbitmq_alarms_free_disk_space_watermark)", "disk")], most=1),
        ],
    ),
    Row(
        "MongoDB",
        [
            Panel("Seconds, 95 of 100", "By command, as Kabar's processes wait for it.",
                  [(quantile(0.95, "mongodb_command_duration_seconds", "command"), "{{command}}")], "s"),
            Panel("Commands a second", "By command.",
                  [(rate("mongodb_command_duration_seconds_count", "command"), "{{command}}")]),
            Panel("Refused a second", "Or not answered, by command.",
                  [(rate("mongodb_command_failed_total", "command"), "{{command}}")]),
            Panel("Disk used", "Of the file system its data are on.",
                  [("max(mongodb_filesystem_used_bytes / mongodb_filesystem_size_bytes)", "used")], "percentunit",
                  most=1),
        ],
    ),
]  # fmt: skip

JOBS = [
    Row(
        "Are they done",
        [
            Panel("Since the last good end", "By job.",
                  [("time() - max by (job) (job_last_success_timestamp_seconds)", "{{job}}")], "s", "bargauge"),
            Panel("Until due", "Below 0 it is late.",
                  [("max by (job) (job_due_timestamp_seconds) - time()", "{{job}}")], "s", "bargauge", red_below=0),
            states("Under way", "A scheduler runs it.", "max by (job) (job_running)", "{{job}}"),
        ],
    ),
    Row(
        "Runs",
        [
            Panel("Runs a day", "By job and outcome.",
                  [("sum by (job, outcome) (increase(job_runs_total[1d]))", "{{job}} {{outcome}}")]),
            Panel("Last sign of life", "Seconds ago, by scheduler.",
                  [("time() - max by (instance) (heartbeat_timestamp_seconds)", "{{instance}}")], "s"),
        ],
    ),
    Row(
        "What they found wrong",
        [
            Panel("Alerts", "That Kabar has raised, by cause.", [("max by (cause) (alert_active)", "{{cause}}")]),
            Panel("Told to nobody", "Alerts that could not be told to any administrator so far.",
                  [("max(alert_untold)", "untold")]),
        ],
    ),
]  # fmt: skip

DASHBOARDS = {
    "overview": ("Kabar: overview", OVERVIEW),
    "providers": ("Kabar: providers", PROVIDERS),
    "pipeline": ("Kabar: pipeline", PIPELINE),
    "jobs": ("Kabar: jobs", JOBS),
}


def rendered(name: str) -> str:
    """The text of one dashboard's file."""
    title, rows = DASHBOARDS[name]
    dashboard = {
        "uid": f"kabar-{name}",
        "title": title,
        "tags": ["kabar"],
        "timezone": "browser",
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["kabar"], "title": "Kabar", "asDropdown": False}],
        "panels": [{"id": number, **one} for number, one in enumerate(_placed(rows), start=1)],
    }
    return json.dumps(dashboard, indent=2) + "\n"


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    y = 0
    for row in rows:
        yield {"type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": _grid(0, y, WIDTH, 1)}
        width = WIDTH // len(row.panels)
        for number, panel in enumerate(row.panels):
            yield {**_panel(panel), "gridPos": _grid(number * width, y + 1, width, row.height)}
        y += 1 + row.height


def _grid(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "exemplar": expression.startswith("histogram_quantile"),  # dots that lead to traces
            }
            for number, (expression, legend) in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    if panel.red_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.red_below}]
    defaults: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        defaults |= {"min": 0, "color": {"mode": "palette-classic"}}
    else:
        defaults |= {"color": {"mode": "thresholds"}}
    if panel.most is not None:
        defaults["max"] = panel.most
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    match panel.kind:
        case "stat":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
        case "bargauge":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "orientation": "horizontal", "displayMode": "basic"}
        case "state-timeline":
            return {"showValue": "never", "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom"}}
        case _:
            return {
                "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in DASHBOARDS:
        (folder / f"{name}.json").write_text(rendered(name))


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "dashboards")
