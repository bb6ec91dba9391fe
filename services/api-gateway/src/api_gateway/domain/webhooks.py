"""What each provider wants to hear when it posts something to us."""

ADDRESSES = "/webhooks/"
ANSWERS: dict[str, bytes] = {"fonnte": b'{"status":true}', "wablas": b""}
"""By provider the body of the 200. Wablas sends whatever stands in it to the customer as a reply: nothing."""


def reads_answers_to_customers(path: str) -> bool:
    """Whether whatever is answered at this address may reach a customer, so that not even an error says anything."""
    provider = path.removeprefix(ADDRESSES).partition("/")[0]
    return path.startswith(ADDRESSES) and ANSWERS.get(provider) == b""
