"""What people are told of an alert, in Indonesian."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from common.contracts.documents import AlertDocument
from common.contracts.vocabulary import AlertKind, AlertNews, NotificationType

Wording = tuple[NotificationType, dict[str, Any]]
"""The notification's type and its data (`common.catalogue.shapes`)."""
_SUBJECTS = {
    AlertKind.DEVICE: "perangkat {about}",
    AlertKind.CIRCUIT: "pengirim {about}",
    AlertKind.JOB: "pekerjaan {about}",
    AlertKind.DEAD_DELIVERIES: "pesan gagal",
    AlertKind.PARKED_ENVELOPES: "peristiwa yang tidak dapat diproses",
}
_RAISED = {
    AlertKind.DEVICE: (
        "Perangkat WhatsApp {about} ({provider}) tidak dapat mengirim sejak {raised}: {reason}. "
        "Selama itu pesan dikirim melalui penyedia lain bila ada."
    ),
    AlertKind.CIRCUIT: (
        "Pengirim {about} ({provider}) tidak dipakai sejak {raised}: {reason}. Pengirim ini dicoba lagi secara berkala."
    ),
    AlertKind.JOB: "Pekerjaan {about} yang dijadwalkan {expected_at} belum berhasil dijalankan.",
    AlertKind.DEAD_DELIVERIES: "Lebih dari {most} pesan gagal dikirim dalam satu jam terakhir.",
    AlertKind.PARKED_ENVELOPES: "Lebih dari {most} peristiwa tidak dapat diproses dalam satu jam terakhir.",
}
_CLEARED = {
    AlertKind.DEVICE: "Perangkat WhatsApp {about} ({provider}) kembali dapat mengirim. Gangguan: {span}.",
    AlertKind.CIRCUIT: "Pengirim {about} ({provider}) kembali dipakai. Gangguan: {span}.",
    AlertKind.JOB: "Pekerjaan {about} kembali berjalan. Gangguan: {span}.",
    AlertKind.DEAD_DELIVERIES: "Jumlah pesan gagal kembali wajar. Gangguan: {span}.",
    AlertKind.PARKED_ENVELOPES: "Jumlah peristiwa yang tidak dapat diproses kembali wajar. Gangguan: {span}.",
}


def wording(alert: AlertDocument, news: AlertNews, zone: tzinfo) -> Wording:
    """What is told of an alert when it is raised, or when it is cleared."""
    kind, resolved = AlertKind(alert["kind"]), {"resolved": True} if news is AlertNews.CLEARED else {}
    if kind is AlertKind.QUOTA:
        facts = {name: one for name, one in alert["facts"].items() if name in {"remaining", "total"}}
        return NotificationType.QUOTA_ALERT, {**_named(alert), **facts, **resolved}
    told = _told(alert, lambda moment: _in_words(moment, zone))
    detail = (_CLEARED if resolved else _RAISED)[kind].format(**told)
    return NotificationType.SYSTEM_ALERT, {"cause": _SUBJECTS[kind].format(**told), "detail": detail, **resolved}


def _told(alert: AlertDocument, in_words: Callable[[datetime], str]) -> dict[str, Any]:
    facts = {name: in_words(one) if isinstance(one, datetime) else one for name, one in alert["facts"].items()}
    raised, cleared = in_words(alert["raised_at"]), alert["cleared_at"]
    span = f"{raised} sampai {in_words(cleared)}" if cleared else raised
    return {**facts, **_named(alert), "about": alert["about"], "raised": raised, "span": span}


def _named(alert: AlertDocument) -> dict[str, Any]:
    provider = alert["facts"].get("provider")
    return {"provider": str(provider).capitalize(), "sender": alert["about"]} if provider else {}


def _in_words(moment: datetime, zone: tzinfo) -> str:
    """`21/11 pukul 14.05 WIB`."""
    local = moment.astimezone(zone)
    name = local.tzname() or ""
    return f"{local:%d/%m} pukul {local:%H.%M}" + (f" {name}" if name.isalpha() else "")
