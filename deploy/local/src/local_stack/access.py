"""How to reach a running stack: addresses and a token, also as a file for a shell."""

import shlex
from dataclasses import dataclass, field

# What a client of the stack reads and no service does.
CLIENT_VARIABLES = frozenset(
    {
        *("KABAR_URL", "KABAR_TOKEN", "KABAR_PROMETHEUS_URL"),
        *("KABAR_SANDBOX_URL", "KABAR_SANDBOX_FONNTE_URL", "KABAR_SANDBOX_WABLAS_URL"),
    }
)


@dataclass(frozen=True)
class Access:
    """What a client needs; `sandbox_url` is None when real providers are used, `prometheus_url` when none runs, and
    `page_password`, which `admin` signs in with at the admin page, when the settings name accounts.
    """

    url: str
    token: str = field(repr=False)
    rabbitmq_url: str
    mongodb_url: str
    sandbox_url: str | None
    prometheus_url: str | None = None
    page_password: str | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """The same as variables, as the command line client and the tests read them."""
        variables = {
            "KABAR_URL": self.url,
            "KABAR_TOKEN": self.token,
            "RABBITMQ_URL": self.rabbitmq_url,
            "MONGODB_URL": self.mongodb_url,
        }
        if self.sandbox_url is not None:
            variables |= {
                "KABAR_SANDBOX_URL": self.sandbox_url,
                "KABAR_SANDBOX_FONNTE_URL": f"{self.sandbox_url}/fonnte",
                "KABAR_SANDBOX_WABLAS_URL": f"{self.sandbox_url}/wablas",
            }
        if self.prometheus_url is not None:
            variables["KABAR_PROMETHEUS_URL"] = self.prometheus_url
        return variables

    def shell(self) -> str:
        """For `set -a; . .run/env`."""
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in self.environment().items())
