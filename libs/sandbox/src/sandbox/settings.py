"""What the environment decides."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FONNTE_TOKENS = "sandbox-fonnte-token,sandbox-fonnte-token-2"
WABLAS_TOKENS = "sandbox-wablas-token.sandbox-wablas-secret,sandbox-wablas-token-2.sandbox-wablas-secret-2"


@dataclass(frozen=True)
class Settings:
    """Where to listen and which credentials are valid; Wablas credentials are ``TOKEN.SECRET``."""

    http_host: str = "127.0.0.1"
    http_port: int = 8090
    mail_port: int = 8025
    fonnte_tokens: tuple[str, ...] = tuple(FONNTE_TOKENS.split(","))
    fonnte_account_token: str = "sandbox-fonnte-account-token"  # noqa: S105  # valid here and nowhere else
    wablas_tokens: tuple[str, ...] = tuple(WABLAS_TOKENS.split(","))
    recipient_faults: bool = True

    @classmethod
    def from_environment(cls, environment: "Mapping[str, str]") -> "Settings":
        """Read ``KABAR_HTTP_*`` and ``KABAR_SANDBOX_*``; ``ValueError`` names every problem at once."""
        problems: list[str] = []
        port = environment.get("KABAR_HTTP_PORT", "8090")
        if not port.isdecimal() or int(port) > 65535:
            problems.append(f"KABAR_HTTP_PORT: {port!r} is not a port (0 to 65535)")
        mail_port = environment.get("KABAR_SANDBOX_MAIL_PORT", "8025")
        if not mail_port.isdecimal() or int(mail_port) > 65535:
            problems.append(f"KABAR_SANDBOX_MAIL_PORT: {mail_port!r} is not a port (0 to 65535)")
        fonnte = _listed(environment.get("KABAR_SANDBOX_FONNTE_TOKENS", FONNTE_TOKENS))
        if not fonnte:
            problems.append("KABAR_SANDBOX_FONNTE_TOKENS: no token")
        wablas = _listed(environment.get("KABAR_SANDBOX_WABLAS_TOKENS", WABLAS_TOKENS))
        if not wablas or not all("." in token for token in wablas):
            problems.append("KABAR_SANDBOX_WABLAS_TOKENS: each must be TOKEN.SECRET")
        recipient_faults = environment.get("KABAR_SANDBOX_RECIPIENT_FAULTS", "on")
        if recipient_faults not in {"on", "off"}:
            problems.append("KABAR_SANDBOX_RECIPIENT_FAULTS: must be on or off")
        if problems:
            raise ValueError("; ".join(problems))
        return cls(
            http_host=environment.get("KABAR_HTTP_HOST", "127.0.0.1"),
            http_port=int(port),
            mail_port=int(mail_port),
            fonnte_tokens=fonnte,
            fonnte_account_token=environment.get("KABAR_SANDBOX_FONNTE_ACCOUNT_TOKEN", cls.fonnte_account_token),
            wablas_tokens=wablas,
            recipient_faults=recipient_faults == "on",
        )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
