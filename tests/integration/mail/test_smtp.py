"""Mails over real SMTP: how they are handed over, what replies mean, and what is unknown."""

import asyncio
import ssl
from dataclasses import replace

import pytest

from common.contracts.vocabulary import FailureClass
from common.kernel.failures import Transient
from gateway.domain.answer import Accepted, Missed, Refused, Unknown
from gateway.domain.device import Device
from gateway_email.adapters.mail_server import Address
from tests.integration.mail.conftest import ACCOUNT, LOGIN, Certificates, OpenPost, Post, asked

F = FailureClass


async def test_a_mail_arrives_as_it_was_written(post: Post) -> None:
    answer = await post.send(asked(subject="Tagihan November 2025 (José)", text="Yth. Ibu Sari,\n\n.Halo é\n"))
    assert answer == Accepted("<dlv_1-2@example.com>")
    mail = post.mail
    assert mail["subject"] == "Tagihan November 2025 (José)"
    assert mail["text"].splitlines() == ["Yth. Ibu Sari,", "", ".Halo é"]
    assert "<p>Yth. Ibu Sari,</p>\n<p>.Halo é</p>" in mail["html"].replace("\r\n", "\n")
    assert (mail["from"], mail["to"]) == ("kabar@example.com", "sari@example.com")
    assert mail["headers"]["From"] == "Kabar Net <kabar@example.com>"
    assert mail["headers"]["Date"] == "Sat, 15 Nov 2025 01:00:00 +0000"
    assert mail["raw"].isascii()


async def test_two_attempts_of_a_delivery_are_told_apart_and_known_to_be_one_mail(post: Post) -> None:
    await post.send(asked(number=1))
    await post.send(asked(number=2))
    messages = [mail.message for mail in post.mails]
    assert [message.id for message in messages] == ["<dlv_1-2@example.com>"] * 2
    assert [message.reference for message in messages] == ["dlv_1-2.1", "dlv_1-2.2"]


@pytest.mark.parametrize("how", ["tls", "starttls"])
async def test_tls_and_a_login(open_post: OpenPost, certificates: Certificates, how: str) -> None:
    at_once = how == "tls"
    context = certificates.server()
    post = await open_post(
        server_tls=context if at_once else None,
        starttls=None if at_once else context,
        client_tls=certificates.client(),
        tls_at_once=at_once,
        login=LOGIN,
        wanted=LOGIN,
    )
    assert isinstance(await post.send(), Accepted)
    assert isinstance(await post.send(), Accepted)
    assert post.office.opened == 1


async def test_a_certificate_nobody_vouches_for_is_not_trusted(open_post: OpenPost, certificates: Certificates) -> None:
    for at_once in (True, False):
        context = certificates.server()
        post = await open_post(
            server_tls=context if at_once else None,
            starttls=None if at_once else context,
            client_tls=ssl.create_default_context(),
            tls_at_once=at_once,
        )
        answer = await post.send()
        assert isinstance(answer, Refused)
        assert answer.failure is F.AUTH
        assert "certificate is not trusted" in answer.error
        assert post.permits == []


async def test_a_certificate_for_another_name_is_not_trusted(open_post: OpenPost, certificates: Certificates) -> None:
    post = await open_post(
        server_tls=certificates.server("other.example.com"), client_tls=certificates.client(), tls_at_once=True
    )
    answer = await post.send()
    assert isinstance(answer, Refused)
    assert answer.failure is F.AUTH


async def test_without_starttls_at_the_server_nothing_is_sent_in_plain_text(
    open_post: OpenPost, certificates: Certificates
) -> None:
    post = await open_post(client_tls=certificates.client(), login=LOGIN)
    answer = await post.send()
    assert isinstance(answer, Refused)
    assert answer.failure is F.AUTH
    assert "STARTTLS" in answer.error
    assert post.calls == 0


async def test_tls_where_the_server_speaks_plain_text_says_which_setting_is_wrong(
    open_post: OpenPost, certificates: Certificates
) -> None:
    post = await open_post(client_tls=certificates.client(), tls_at_once=True)
    answer = await post.send()
    assert isinstance(answer, Refused)
    assert answer.failure is F.AUTH
    assert "MAIL_ENCRYPTION" in answer.error


async def test_a_refused_login_is_technical(open_post: OpenPost, certificates: Certificates) -> None:
    post = await open_post(
        starttls=certificates.server(), client_tls=certificates.client(), login=("kabar", "salah"), wanted=LOGIN
    )
    answer = await post.send()
    assert isinstance(answer, Refused)
    assert answer.failure is F.AUTH
    assert answer.error.startswith("login: 535")
    assert "salah" not in answer.error
    assert post.permits == []


async def test_a_login_that_was_replaced_is_used_for_the_next_connection(
    open_post: OpenPost, certificates: Certificates
) -> None:
    post = await open_post(
        starttls=certificates.server(), client_tls=certificates.client(), login=("kabar", "salah"), wanted=LOGIN
    )
    assert isinstance(await post.send(), Refused)
    post.server.address = replace(post.server.address, password=LOGIN[1])
    assert isinstance(await post.send(), Accepted)


async def test_a_look_goes_as_far_as_the_login_and_sends_nothing(
    open_post: OpenPost, certificates: Certificates
) -> None:
    tls = {"starttls": certificates.server(), "client_tls": certificates.client()}
    post = await open_post(**tls, login=LOGIN, wanted=LOGIN)
    assert isinstance(await post.send(), Accepted)
    assert await post.provider.look(ACCOUNT) == Device(connected=True)
    assert (post.office.opened, len(post.mails)) == (2, 1)
    stranger = await open_post(**tls, login=("kabar", "salah"), wanted=LOGIN)
    found = await stranger.provider.look(ACCOUNT)
    refused = found.refused
    assert refused is not None
    assert (refused.failure, refused.error[:10], found.connected) == (F.AUTH, "login: 535", False)
    plain = await open_post(client_tls=certificates.client(), tls_at_once=True)
    refused = (await plain.provider.look(ACCOUNT)).refused
    assert refused is not None
    assert (refused.failure, "MAIL_ENCRYPTION" in refused.error) == (F.AUTH, True)


async def test_a_look_at_a_server_that_is_not_there_tells_nothing_of_it(post: Post) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "localhost", 0) as closing:
        post.server.address = _elsewhere(post, closing)
        with pytest.raises(Transient):
            await post.provider.look(ACCOUNT)


async def test_a_login_that_was_not_made_but_is_wanted_is_technical(open_post: OpenPost) -> None:
    post = await open_post(wanted=LOGIN)
    answer = await post.send()
    assert isinstance(answer, Refused)
    assert answer.failure is F.AUTH


@pytest.mark.parametrize(
    ("step", "code", "said", "failure"),
    [
        ("mail", 421, "4.3.2 shutting down", F.TRANSPORT),
        ("mail", 451, "4.3.0 try again later", F.TRANSPORT),
        ("mail", 550, "5.7.1 you may not write as this sender", F.AUTH),
        ("mail", 530, "5.7.0 authentication required", F.AUTH),
        ("rcpt", 450, "4.2.1 greylisted", F.TRANSPORT),
        ("rcpt", 550, "5.1.1 no such user", F.RECIPIENT),
        ("rcpt", 552, "5.2.2 mailbox full", F.RECIPIENT),
        ("rcpt", 553, "not a mailbox", F.RECIPIENT),
        ("rcpt", 554, "5.7.1 relay access denied", F.AUTH),
        ("rcpt", 550, "5.4.5 daily sending limit exceeded", F.QUOTA),
        ("rcpt", 503, "bad sequence", F.BUG),
        ("data", 421, "4.3.2 shutting down", F.TRANSPORT),
        ("data", 554, "no valid recipients", F.MESSAGE),
        ("send", 421, "4.3.2 shutting down", F.TRANSPORT),
        ("send", 450, "4.7.1 try again", F.TRANSPORT),
        ("send", 550, "5.1.1 no such user", F.RECIPIENT),
        ("send", 552, "5.3.4 message too big", F.MESSAGE),
        ("send", 554, "5.7.1 looks like spam", F.MESSAGE),
    ],
)
async def test_a_refusal_has_its_class(post: Post, step: str, code: int, said: str, failure: FailureClass) -> None:
    post.refuse(code, said, at=step, times=1)
    answer = await post.send()
    assert isinstance(answer, Refused), answer
    assert (answer.failure, str(code) in answer.error, said in answer.error) == (failure, True, True)
    assert post.mails == []
    assert isinstance(await post.send(), Accepted)


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("kind", ["hang", "drop", "reset"])
async def test_silence_before_the_message_is_no_acceptance(post: Post, step: str, kind: str) -> None:
    post.fault(kind, endpoint=step, accepted=False, times=1)
    answer = await post.send()
    assert isinstance(answer, Refused), answer
    assert answer.failure is F.TRANSPORT
    assert isinstance(await post.send(), Accepted)


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("kind", ["hang", "drop", "reset", "cut_off"])
async def test_silence_after_the_message_is_unknown(post: Post, kind: str, accepted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    post.fault(kind, accepted=accepted, times=1)
    answer = await post.send()
    assert isinstance(answer, Unknown), answer
    assert len(post.mails) == accepted
    assert post.calls == 1
    assert isinstance(await post.send(), Accepted)


async def test_a_reply_that_is_none_after_the_message_is_unknown(post: Post) -> None:
    post.refuse(399, "what", times=1)
    assert isinstance(await post.send(), Unknown)


async def test_nobody_listening_is_a_failure_before_acceptance(post: Post) -> None:
    refusing = await asyncio.start_server(lambda _, writer: writer.close(), "localhost", 0)
    async with refusing:
        post.server.address = _elsewhere(post, refusing)
        answer = await post.send()
    assert isinstance(answer, Refused)
    assert answer.failure is F.TRANSPORT
    assert isinstance(await post.send(), Refused)


async def test_a_server_that_never_greets_is_given_up_before_acceptance(post: Post) -> None:
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)
        writer.close()

    server = await asyncio.start_server(silent, "localhost", 0)
    post.server.address = _elsewhere(post, server)
    answer = await post.send()
    server.close()
    assert answer == Refused(F.TRANSPORT, "no connection in 1 s")
    assert post.permits == []


async def test_one_connection_is_kept_and_used_again(post: Post) -> None:
    for _ in range(3):
        await post.send()
    assert post.office.opened == 1
    assert len(post.mails) == 3


async def test_a_connection_the_server_has_closed_meanwhile_costs_no_attempt(post: Post) -> None:
    await post.send()
    kept = post.server._kept
    assert kept is not None
    kept.client.close()
    assert isinstance(await post.send(), Accepted)
    assert post.office.opened == 2
    assert len(post.permits) == 2


async def test_mails_that_go_out_together_have_connections_of_their_own_and_one_is_kept(post: Post) -> None:
    post.fault("late", delay_seconds=0.2, times=3)
    answers = await asyncio.gather(*(post.send() for _ in range(3)))
    assert all(isinstance(answer, Accepted) for answer in answers)
    await post.send()
    assert post.office.opened == 3


async def test_a_mail_whose_moment_has_passed_is_not_handed_over(post: Post) -> None:
    async def too_late() -> None:
        raise Missed("too late")

    with pytest.raises(Missed):
        await post.provider.send(ACCOUNT, asked(), too_late)
    assert post.calls == 0
    assert isinstance(await post.send(), Accepted)


async def test_the_permit_comes_before_the_first_word_about_the_mail(post: Post) -> None:
    await post.send()
    await post.send()
    assert post.permits == [0, 1]


async def test_what_is_cut_is_unknown(open_post: OpenPost) -> None:
    post = await open_post(read_timeout=30)
    post.fault("hang", accepted=True)
    sending = asyncio.create_task(post.send())
    async with asyncio.timeout(5):
        while not post.mails:  # noqa: ASYNC110 - the server's
            await asyncio.sleep(0.01)
    post.provider.cut()
    assert isinstance(answer := await sending, Unknown)
    assert answer.error == "stopped while waiting for the answer"


async def test_what_is_no_address_is_never_told_to_the_server(post: Post) -> None:
    answer = await post.send(asked("6281200000001"))
    assert answer == Refused(F.RECIPIENT, "the recipient is no e-mail address")
    assert post.office.opened == 0


def _elsewhere(post: Post, server: asyncio.Server) -> Address:
    return replace(post.server.address, port=server.sockets[0].getsockname()[1])
