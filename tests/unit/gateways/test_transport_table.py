"""What an exchange means in which the provider said nothing."""

import httpx
import pytest

from common.contracts.vocabulary import FailureClass
from gateway.adapters.exchange import Exchange
from gateway.domain.answer import Refused, Unknown
from gateway.domain.transport import answer_without_word
from gateway_fonnte.domain.dialect import FonnteDialect
from tests.support.gateways.answering import Answering, exchanged, permit

TABLE = {
    200: None,
    204: None,
    301: FailureClass.UNCLASSIFIED,
    302: FailureClass.UNCLASSIFIED,
    400: FailureClass.BUG,
    401: FailureClass.AUTH,
    403: FailureClass.AUTH,
    404: FailureClass.UNCLASSIFIED,
    408: FailureClass.TRANSPORT,
    413: FailureClass.UNCLASSIFIED,
    429: FailureClass.TRANSPORT,
    500: None,
    501: None,
    502: FailureClass.TRANSPORT,
    503: FailureClass.TRANSPORT,
    504: None,
    520: None,
    521: FailureClass.TRANSPORT,
    522: FailureClass.TRANSPORT,
    523: FailureClass.TRANSPORT,
    524: None,
    599: None,
}


@pytest.mark.parametrize(("status", "failure"), TABLE.items())
def test_a_status_without_a_word_means(status: int, failure: FailureClass | None) -> None:
    answer = answer_without_word(status, "an empty body")
    if failure is None:
        assert isinstance(answer, Unknown)
    else:
        assert isinstance(answer, Refused)
        assert answer.failure is failure
    assert str(status) in answer.error


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.PoolTimeout("full"),
        httpx.WriteError("gone"),
        OSError("no route"),
    ],
)
async def test_what_breaks_before_anything_was_written_was_not_accepted(error: Exception) -> None:
    answer = await exchanged(FonnteDialect("https://api.fonnte.com/send"), Answering(error=error))
    assert isinstance(answer, Refused)
    assert answer.failure is FailureClass.TRANSPORT


async def test_a_redirect_is_not_followed() -> None:
    answering = Answering(status=302)
    answer = await exchanged(FonnteDialect("https://api.fonnte.com/send"), answering)
    assert isinstance(answer, Refused)
    assert len(answering.asked) == 1


async def test_only_a_request_that_went_out_whole_may_have_arrived() -> None:
    exchange = Exchange(permit)
    await exchange("connection.connect_tcp.complete", {})
    assert not exchange.may_have_arrived
    await exchange("http11.send_request_headers.started", {})
    assert exchange.may_have_arrived


async def test_more_than_any_answer_holds_is_not_read() -> None:
    answer = await exchanged(FonnteDialect("https://api.fonnte.com/send"), Answering(body=b" " * 10_000_000 + b"{}"))
    assert isinstance(answer, Unknown)
