"""What each provider wants to hear when it posts something to us."""

ANSWERS: dict[str, bytes] = {"fonnte": b'{"status":true}', "wablas": b""}
"""By provider the body of the 200. Wablas sends whatever stands in it to the customer as a reply: nothing."""


def may_be_told_why(provider: str) -> bool:
    """Whether an error's text reaches the provider only, and not a customer."""
    return bool(ANSWERS[provider])
