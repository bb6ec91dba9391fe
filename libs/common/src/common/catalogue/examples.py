"""One example of data for every type, and example rows of the directory: for previews, tests and the API's examples."""

from typing import Any

from common.catalogue.definitions import DEFINITIONS
from common.catalogue.values import known_values
from common.contracts.vocabulary import NotificationType

T = NotificationType
Values = dict[str, Any]

EXAMPLE_ROWS: dict[str, Values] = {
    "customer": {
        "id": "C-1001",
        "name": "Sari Wulandari",
        "phone": "6281200000001",
        "email": "sari@example.com",
        "area": "Depok",
        "address": "Jl. Melati No. 12, Depok",
        "package_id": "P-50",
        "status": "active",
    },
    "technician": {
        "id": "TK-7",
        "name": "Budi Santoso",
        "phone": "6281200000002",
        "area": "Depok",
        "status": "active",
    },
    "staff": {
        "id": "S-3",
        "name": "Dewi Lestari",
        "phone": "6281200000003",
        "email": "dewi@example.com",
        "role": "supervisor",
        "area": "Depok",
        "status": "active",
    },
    "ticket": {
        "id": "T-2025-0117",
        "customer_id": "C-1001",
        "technician_id": "TK-7",
        "title": "Internet sering terputus pada malam hari",
        "description": "Lampu LOS pada modem menyala merah sejak semalam. Modem sudah dimatikan dan dinyalakan ulang.",
        "category": "Gangguan",
        "area": "Depok",
        "priority": "high",
        "status": "in_progress",
        "note": "Teknisi sedang memeriksa kabel di lokasi.",
        "opened_at": "2025-11-18T01:30:00Z",
        "deadline": "2025-11-18T09:30:00Z",
    },
    "invoice": {
        "id": "INV-2025-11-1001",
        "customer_id": "C-1001",
        "number": "INV/2025/11/1001",
        "period": "November 2025",
        "amount": 275_000,
        "issued_on": "2025-11-01",
        "due_date": "2025-11-20",
        "status": "unpaid",
        "payment_link": "https://pay.example.com/i/INV-2025-11-1001",
        "paid_at": "2025-11-18T03:05:00Z",
        "payment_method": "Transfer bank",
    },
    "package": {
        "id": "P-50",
        "name": "Keluarga 50",
        "price": 350_000,
        "speed": "50 Mbps",
        "description": "Cocok untuk bekerja dari rumah, belajar daring, dan menonton video bersama keluarga.",
        "status": "active",
    },
}
"""One row of each kind, as templates see it."""

EXAMPLE_DATA: dict[NotificationType, Values] = {
    T.TICKET_ASSIGNMENT: {"ticket_id": "T-2025-0117", "technician_id": "TK-7"},
    T.TICKET_STATUS_UPDATE: {"ticket_id": "T-2025-0117", "note": "Teknisi kami sedang memeriksa kabel di lokasi Anda."},
    T.SLA_WARNING: {"ticket_id": "T-2025-0117", "minutes_left": 90},
    T.PAYMENT_REMINDER: {"invoice_id": "INV-2025-11-1001", "days_left": 3},
    T.INSTALLATION_SCHEDULE: {
        "customer_id": "C-1001",
        "date": "2025-11-22",
        "time": "09:00",
        "technician_id": "TK-7",
        "note": "Pemasangan berlangsung sekitar dua jam.",
    },
    T.MAINTENANCE: {
        "type": "Pemeliharaan jaringan",
        "area": "Depok",
        "start_date": "2025-11-21",
        "start_time": "23:00",
        "duration": "2 jam",
        "impact": "Koneksi internet terputus sementara",
        "reason": "Peningkatan kapasitas jaringan",
    },
    T.REGISTRATION_CONFIRMATION: {"customer_id": "C-1001"},
    T.DAILY_SUMMARY: {
        "date": "2025-11-18",
        "tickets_opened": 42,
        "tickets_closed": 38,
        "tickets_open": 17,
        "sla_met_percent": 96.5,
        "technicians_active": 12,
        "issues": ["Dua tiket mendesak melewati batas waktu", "Gangguan listrik di Depok pukul 14.00-15.30"],
    },
    T.EMERGENCY_ALERT: {
        "type": "Kabel serat optik putus",
        "area": "Depok dan Cinere",
        "customers_affected": 1250,
        "status": "Tim sedang menuju lokasi",
        "eta": "18 November 2025 pukul 16.00 WIB",
        "actions": ["Tim lapangan menyambung kabel di Jl. Raya Cinere", "Layanan pelanggan mengabari pelanggan"],
    },
    T.WELCOME: {"customer_id": "C-1001"},
    T.UPGRADE_OFFER: {"customer_id": "C-1001", "upgrade_package_id": "P-50"},
    T.SATISFACTION_SURVEY: {"ticket_id": "T-2025-0117"},
    T.TECHNICIAN_PERFORMANCE: {
        "technician_id": "TK-7",
        "period": "10-16 November 2025",
        "tickets_done": 31,
        "average_hours": 3.4,
        "sla_met_percent": 97,
        "rating": 4.7,
        "rank": 2,
        "technicians": 12,
        "bonus": 250_000,
    },
    T.PROMOTION: {
        "campaign_title": "Promo Akhir Tahun",
        "offer": "Naikkan kecepatan internet Anda sekarang dan nikmati harga khusus selama tiga bulan.",
        "discount": "25%",
        "valid_until": "2025-12-31",
        "terms": ["Berlaku untuk pelanggan aktif", "Tidak dapat digabung dengan promo lain"],
        "cta_text": "Daftar di sini",
        "cta_link": "https://example.com/promo",
    },
    T.PAYMENT_OVERDUE: {"invoice_id": "INV-2025-11-1001", "days_overdue": 3},
    T.PAYMENT_LINK: {"invoice_id": "INV-2025-11-1001"},
    T.PAYMENT_RECEIVED: {"invoice_id": "INV-2025-11-1001"},
    T.ACCOUNT_ACTIVATED: {"customer_id": "C-1001"},
    T.INCIDENT_REPORT: {
        "title": "Gangguan jaringan inti di Depok",
        "description": "Perangkat inti berhenti merespons pukul 02.15 dan dialihkan ke perangkat cadangan pukul 02.40.",
        "severity": "high",
        "area": "Depok",
        "status": "Layanan sudah pulih",
        "actions": ["Perangkat yang rusak diganti", "Pemantauan diperketat selama 24 jam"],
    },
    T.WEEKLY_REFLECTION: {
        "period": "10-16 November 2025",
        "highlights": ["SLA terpenuhi 97%", "Pemasangan baru 54 pelanggan"],
        "problems": ["Waktu tanggap malam hari masih lambat"],
        "plans": ["Menambah satu teknisi untuk giliran malam"],
    },
    T.LEARNING_LOG: {
        "title": "Sambungan serat optik yang lembap",
        "lesson": "Periksa penutup kotak sambungan lebih dahulu sebelum mengganti kabel.",
        "context": "Tiga tiket di Cinere ditutup lalu dibuka kembali setelah hujan.",
        "author": "Budi Santoso",
    },
    T.SYSTEM_ALERT: {
        "cause": "Perangkat fonnte-1 terputus",
        "detail": "Perangkat tidak terhubung sejak pukul 08.30 WIB. Pesan dialihkan ke penyedia cadangan.",
    },
    T.QUOTA_ALERT: {"provider": "Fonnte", "sender": "fonnte-1", "remaining": 120, "total": 1000},
    T.OTP: {"code": "123456", "purpose": "masuk"},
    T.CUSTOM: {"name": "Sari", "amount": "Rp 250.000"},
}
"""What a client could ask with, as JSON."""


def example_context(notification_type: NotificationType) -> Values:
    """The example data with the rows the type's template sees, as it is stored in a notification."""
    return {**example_rows(notification_type), **EXAMPLE_DATA[notification_type]}


def example_rows(notification_type: NotificationType) -> Values:
    """The rows a template of this type sees, with the fields that are told of them."""
    rows = {}
    for name, fields in (known_values(notification_type) or {}).items():
        if fields is not None:
            rows[name] = {field: value for field, value in EXAMPLE_ROWS[name].items() if field in fields}
    return rows


def least_data(notification_type: NotificationType) -> Values:
    """The example data without what may be left out."""
    shape = DEFINITIONS[notification_type].shape
    example = EXAMPLE_DATA[notification_type]
    if shape is None:
        return example
    return {name: example[name] for name, field in shape.model_fields.items() if field.is_required()}
