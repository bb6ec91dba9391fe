"""What the environment decides."""

from common.config.settings import ServiceSettings


class SchedulerSettings(ServiceSettings):
    """Nothing of its own yet."""
