"""Which limits the senders of a provider have."""

from collections.abc import Callable

from common.config.senders import SenderSettings
from common.contracts.vocabulary import MAIL_PROVIDER
from common.mongo.gate import Limits

LimitsOf = Callable[[str], Limits]
"""The limits of each sender of a provider."""


def limits_of(settings: SenderSettings) -> LimitsOf:
    whatsapp = Limits(settings.queue_delay, settings.per_minute, settings.per_hour, settings.per_day)
    mail = Limits(settings.mail_queue_delay, settings.mail_per_minute, settings.mail_per_hour, settings.mail_per_day)
    return lambda provider: mail if provider == MAIL_PROVIDER else whatsapp
