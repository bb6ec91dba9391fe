"""Signatures anybody can verify, addresses nobody can smuggle in, and retries that end."""

import asyncio
import base64
import hashlib
import hmac
import socket
import ssl
import threading

import pytest
import trustme

from api_gateway.adapters.names import Names
from api_gateway.adapters.webhook_calls import WebhookCalls
from api_gateway.domain.refusals import Refused
from api_gateway.domain.webhook_addresses import checked_url, reachable_by_all
from api_gateway.domain.webhook_endpoint import RETRY_SECONDS, retry_after, unknown_events
from api_gateway.domain.webhook_signatures import new_secret, signed_headers
from tests.support.portal import portal


def test_the_signature_is_the_specifications_own_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed_headers(
        [secret], identity="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_rotated_both_sign() -> None:
    old, new = new_secret(), new_secret()
    signatures = signed_headers([new, old], identity="a", timestamp=1, body=b"{}")["webhook-signature"].split()
    assert signatures == [
        "v1," + base64.b64encode(
            hmac.digest(base64.b64decode(one.removeprefix("whsec_")), b"a.1.{}", hashlib.sha256)
        ).decode()
        for one in (new, old)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fd00:ec2::254",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::",
        "2001:db8::1", "fec0::1", "168.63.129.16", "::ffff:168.63.129.16", "192.88.99.1", "3fff::1", "4000::1",
    ],
)  # fmt: skip
def test_what_only_we_can_reach_is_not_called(address: str) -> None:
    assert not reachable_by_all(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_what_everybody_can_reach_may_be_called(address: str) -> None:
    assert reachable_by_all(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example/", "ftp://portal.example/", "https://", "https://localhost/", "https://x.localhost/",
        "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://user:pass@portal.example/",
        "https://portal.example/#a", "https://portal.example:0/", "https://portal.example:99999/", "https://po rtal/",
        "not a url", "https://[::1/",
    ],
)  # fmt: skip
def test_a_url_that_leads_where_it_must_not_is_refused(url: str) -> None:
    with pytest.raises(Refused, match=r"^url: "):
        checked_url(url, allow_http=False, allow_private=False)


def test_retries_grow_spread_and_end() -> None:
    waits = [retry_after(calls, draw=0.0) for calls in range(1, 8)]
    assert [wait and wait.total_seconds() for wait in waits] == [*RETRY_SECONDS, None]
    most = retry_after(1, draw=1.0)
    assert most is not None
    assert most.total_seconds() == pytest.approx(6.0)


def test_events_are_named_by_what_is_told() -> None:
    known = ["delivery.sent", "notification.planned"]
    assert unknown_events(["delivery.sent", "delivery.*", "*"], known) == []
    assert unknown_events(["delivery", "ticket.*", "delivery.queued"], known) == [
        "delivery",
        "ticket.*",
        "delivery.queued",
    ]


async def test_a_name_is_checked_where_it_leads_when_it_is_called() -> None:
    with portal() as there:
        refused = await WebhookCalls(allow_private=False).post(there.url.replace("127.0.0.1", "localhost"), b"{}", {})
        assert refused.error == "its address is on a private network, where nothing is called"
        assert not there.posts
        assert (await WebhookCalls(allow_private=True).post(there.url, b"{}", {})).taken


async def test_a_name_whose_server_hangs_takes_one_thread_and_keeps_no_other_waiting() -> None:
    asked: list[str] = []
    answered = threading.Event()

    def lookup(host: str, _: int) -> list[str]:
        asked.append(host)
        if host.startswith("hanging"):
            answered.wait(20)
            raise socket.gaierror
        return ["127.0.0.1"]

    with portal() as there:
        calls = WebhookCalls(allow_private=True, names=Names(lookup))
        hanging = [
            asyncio.create_task(calls.post(there.url.replace("127.0.0.1", f"hanging-{n % 10}.example"), b"{}", {}))
            for n in range(40)
        ]
        try:
            alive = await calls.post(there.url.replace("127.0.0.1", "alive.example"), b"{}", {})
            asked_while_hanging = sorted(asked)
        finally:
            answered.set()
        assert alive.taken
        assert asked_while_hanging == ["alive.example", *(f"hanging-{n}.example" for n in range(10))]
        assert {one.error for one in await asyncio.gather(*hanging)} == {"its name leads nowhere"}


async def test_who_stops_waiting_leaves_the_question_to_the_next() -> None:
    answered = threading.Event()
    asked: list[str] = []

    def lookup(host: str, _: int) -> list[str]:
        asked.append(host)
        answered.wait(20)
        return ["127.0.0.1"]

    names = Names(lookup)
    first = asyncio.create_task(names.addresses("slow.example", 443))
    second = asyncio.create_task(names.addresses("slow.example", 443))
    await asyncio.wait([first, second], timeout=0)
    first.cancel()
    third = asyncio.create_task(names.addresses("slow.example", 443))
    await asyncio.wait([first])
    answered.set()
    assert (await second, await third) == (["127.0.0.1"], ["127.0.0.1"])
    assert asked == ["slow.example"]


async def test_a_name_that_led_nowhere_is_not_asked_for_again_at_once() -> None:
    asked: list[str] = []

    def lookup(host: str, _: int) -> list[str]:
        asked.append(host)
        raise socket.gaierror

    calls = WebhookCalls(allow_private=True, names=Names(lookup))
    for _ in range(3):
        assert (await calls.post("https://nowhere.example/", b"{}", {})).error == "its name leads nowhere"
    assert asked == ["nowhere.example"]


async def test_a_redirect_is_not_followed_and_not_taken() -> None:
    with portal(302) as there:
        called = await WebhookCalls(allow_private=True).post(there.url, b"{}", {"webhook-id": "a"})
    assert (called.http_status, called.taken, len(there.posts)) == (302, False, 1)


async def test_what_is_not_there_is_said_without_harm() -> None:
    calls = WebhookCalls(allow_private=True)
    assert (await calls.post("http://127.0.0.1:1/", b"{}", {})).error is not None
    assert (await calls.post("https://nowhere.invalid/", b"{}", {})).http_status is None


async def test_the_certificate_is_the_names_although_the_address_is_called() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    asked: list[bytes] = []
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    async with server:
        called = await WebhookCalls(allow_private=True, trusted=trusted).post(f"https://localhost:{port}/x", b"{}", {})
        strange = await WebhookCalls(allow_private=True, trusted=trusted).post(f"https://127.0.0.1:{port}/", b"{}", {})
    assert called.taken, called.error
    assert f"host: localhost:{port}".encode() in asked[0].lower()
    assert names[0] == "localhost"
    assert strange.error == "its certificate is not valid"
