"""How a mail is written: nobody's value becomes a header, a tag or another mail."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.contracts.events import AttemptRequest
from common.contracts.vocabulary import FailureClass
from gateway.domain.dialect import Unsendable
from gateway_email.domain.html import html_of
from gateway_email.domain.mail import Writer, write_mail
from gateway_email.domain.replies import Step, refusal

NOW = datetime(2025, 11, 15, 1, 0, tzinfo=UTC)
WRITER = Writer("kabar@example.com", 'Kabar "Net", PT')


def written(subject: str = "Tagihan", text: str = "Halo", recipient: str = "sari@example.com", **more: bool) -> bytes:
    request = AttemptRequest(delivery_id="dlv_1-2", number=2, recipient=recipient, subject=subject, text=text, **more)
    return write_mail(request, WRITER, NOW).content


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_stands_in_it_there_are_the_same_headers_and_one_mail(subject: str, text: str) -> None:
    try:
        raw = written(subject, text)
    except UnicodeEncodeError:  # half characters are refused long before
        assert any("\ud800" <= mark <= "\udfff" for mark in subject + text)
        return
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    read = message_from_bytes(raw, policy=policy.default)
    assert sorted(read.keys()) == sorted([
        "From", "To", "Subject", "Date", "Message-ID", "X-Kabar-Attempt", "Auto-Submitted", "MIME-Version",
        "Content-Type",
    ])  # fmt: skip
    assert [part.get_content_type() for part in read.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_a_subject_in_utf8_stays_what_it_is_on_one_line() -> None:
    read = message_from_bytes(written("Tagihan José\r\nBcc: dewi@example.com"), policy=policy.default)
    assert read["Subject"] == "Tagihan José Bcc: dewi@example.com"
    assert read["Bcc"] is None
    assert read["From"] == '"Kabar \\"Net\\", PT" <kabar@example.com>'


def test_only_what_may_be_declined_says_how() -> None:
    read = message_from_bytes(written(unsubscribe=True), policy=policy.default)
    assert read["List-Unsubscribe"] == "<mailto:kabar@example.com?subject=BERHENTI>"
    assert message_from_bytes(written(), policy=policy.default)["List-Unsubscribe"] is None


@pytest.mark.parametrize("recipient", ["6281200000001", "120363000000000001@g.us"])
def test_what_is_no_address_is_no_mail(recipient: str) -> None:
    with pytest.raises(Unsendable):
        written(recipient=recipient)


def test_the_marks_of_whatsapp_are_taken_out_of_a_mail() -> None:
    read = message_from_bytes(written(text="INV_\u200b1 *\u200bx*\u200b"), policy=policy.default)
    part = read.get_body(("plain",))
    assert part is not None
    assert part.get_content().strip() == "INV_1 *x*"


def test_html_says_what_the_text_says_and_nothing_else() -> None:
    page = html_of('Halo <b onclick="x">&\n\nBayar: https://example.com/a?b=1&c="x"\njavascript:alert(1)')
    body = page.partition("<body")[2].partition(">")[2]
    assert "<p>Halo &lt;b onclick=&quot;x&quot;&gt;&amp;</p>" in body
    assert '<a href="https://example.com/a?b=1&amp;c=">https://example.com/a?b=1&amp;c=</a>&quot;x&quot;<br>' in body
    assert "javascript:alert(1)</p>" in body
    assert body.count("<a ") == 1


def test_what_ends_a_sentence_does_not_end_in_its_link() -> None:
    assert '<a href="https://example.com/bayar">https://example.com/bayar</a>).' in html_of(
        "(https://example.com/bayar)."
    )


@given(st.text(max_size=300))
def test_no_text_makes_a_tag(text: str) -> None:
    body = html_of(text).partition("<body")[2].partition(">")[2]
    tags = {part.split(">")[0].split(" ")[0] for part in body.split("<")[1:]}
    assert tags <= {"p", "/p", "br", "a", "/a", "/body", "/html"}


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ("5.1.1 <budi@relaynet.id>: Recipient address rejected: User unknown", FailureClass.RECIPIENT),
        ("<budi@relaynet.id>: no such user", FailureClass.RECIPIENT),
        ("5.2.1 mailbox disabled, sender unauthenticated", FailureClass.RECIPIENT),
        ("5.7.1 <budi@example.com>: Relay access denied", FailureClass.AUTH),
        ("5.4.5 Daily user sending limit exceeded", FailureClass.QUOTA),
    ],
)
def test_a_dead_mailbox_is_its_own_and_a_closed_server_everybodys(said: str, failure: FailureClass) -> None:
    assert refusal(Step.RECIPIENT, 550, said).failure is failure


def test_what_a_server_says_in_another_encoding_can_still_be_told() -> None:
    answer = refusal(Step.RECIPIENT, 550, "5.1.1 utilis\udce9\n inconnu")
    assert answer.error == "RCPT TO: 550 5.1.1 utilis? inconnu"
