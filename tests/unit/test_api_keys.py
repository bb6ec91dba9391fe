"""API keys: what they look like, and how much of the database verifying them costs."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from api_gateway.application.identify import Identify
from api_gateway.application.verify_api_keys import LOOKS_APART_SECONDS, USED_STEP, VerifyApiKeys
from api_gateway.domain.access import SERVICE, Caller, Scope, demand
from api_gateway.domain.api_key import ApiKey, digest, fits, read, written
from api_gateway.domain.refusals import Code, Forbidden, Unauthenticated, Unavailable
from common.contracts.vocabulary import Role
from common.testing.clock import HandClock

SECRET = "s" * 43
ID = "019a8b7c6d5e0123456789abcdef"
KEY = written(ID, SECRET)


def kept(identity: str = ID, **changes: object) -> ApiKey:
    key = ApiKey(identity, "portal", (Scope.DIRECTORY_WRITE,), digest(SECRET), "sari", HandClock().now())
    return replace(key, **changes)  # type: ignore[arg-type]


class Keys:
    def __init__(self, *keys: ApiKey) -> None:
        self.stored = {key.id: key for key in keys}
        self.noted: list[str] = []

    async def usable(self, now: datetime) -> list[ApiKey]:
        return [key for key in self.stored.values() if key.status(now) == "active"]

    async def keep(self, key: ApiKey) -> None:
        self.stored[key.id] = key

    async def get(self, key_id: str) -> ApiKey | None:
        return self.stored.get(key_id)

    async def page(self, before: str | None, limit: int) -> list[ApiKey]:
        raise NotImplementedError

    async def revoke(self, key_id: str, at: datetime) -> None:
        self.stored[key_id] = replace(self.stored[key_id], revoked_at=at)

    async def note_used(self, ids: Sequence[str], at: datetime) -> None:
        self.noted += ids
        for identity in ids:
            self.stored[identity] = replace(self.stored[identity], last_used_at=at)


class Seconds:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_read_back_into_its_parts() -> None:
    assert read(KEY) == (ID, SECRET)


@pytest.mark.parametrize(
    "text", ["", "kbr_", KEY[:-1], KEY + "x", KEY.upper(), "x" + KEY, KEY + "\n", "kbr_é_" + SECRET]
)
def test_what_does_not_look_like_a_key_is_none(text: str) -> None:
    assert read(text) is None


def test_only_its_own_secret_fits() -> None:
    assert fits(kept(), SECRET)
    assert not fits(kept(), "t" * 43)
    assert not fits(None, SECRET)
    assert not fits(None, "")


async def test_a_key_names_a_service_with_its_scopes() -> None:
    caller = await VerifyApiKeys(Keys(kept()), HandClock())(KEY)
    assert caller == Caller(f"key:{ID}", SERVICE, frozenset({Scope.DIRECTORY_WRITE}))


@pytest.mark.parametrize("key", [written(ID, "t" * 43), written("0" * 28, SECRET), "kbr_x_y", "", KEY + KEY])
async def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(Unauthenticated):
        await VerifyApiKeys(Keys(kept()), HandClock())(key)


async def test_a_key_ends_when_it_expires_although_it_is_remembered() -> None:
    clock = HandClock()
    verify = VerifyApiKeys(Keys(kept(expires_at=clock.now() + timedelta(seconds=5))), clock)
    await verify(KEY)
    clock.advance(5)
    with pytest.raises(Unauthenticated, match="expired"):
        await verify(KEY)


async def test_a_thousand_uses_in_a_second_cost_one_look_and_a_revoked_key_is_refused_after_it() -> None:
    keys, seconds = Keys(kept()), Seconds()
    verify = VerifyApiKeys(keys, HandClock(), seconds)
    for _ in range(1_000):
        await verify(KEY)
    assert verify.looks == 1
    await keys.revoke(ID, HandClock().now())
    seconds.now += 0.95
    with pytest.raises(Unauthenticated):
        await verify(KEY)


async def test_a_thousand_unknown_keys_at_once_cost_two_looks() -> None:
    verify = VerifyApiKeys(Keys(kept()), HandClock())
    unknown = [verify(written(f"{number:028x}", SECRET)) for number in range(1_000)]
    refused = await asyncio.gather(*unknown, return_exceptions=True)
    assert all(isinstance(one, Unauthenticated) for one in refused)
    assert verify.looks <= 2


async def test_unknown_keys_one_after_another_are_looked_for_ten_times_a_second_at_most() -> None:
    loop = asyncio.get_running_loop()
    verify = VerifyApiKeys(Keys(), HandClock())
    began = loop.time()
    for number in range(5):
        with pytest.raises(Unauthenticated):
            await verify(written(f"{number:028x}", SECRET))
    assert verify.looks <= 1 + (loop.time() - began) / LOOKS_APART_SECONDS + 1


async def test_a_key_made_elsewhere_just_now_is_found() -> None:
    keys = Keys()
    verify = VerifyApiKeys(keys, HandClock())
    with pytest.raises(Unauthenticated):
        await verify(KEY)
    await keys.keep(kept())
    assert (await verify(KEY)).subject == f"key:{ID}"


class AwayKeys(Keys):
    """Says that nobody can tell, once `answer` is set."""

    def __init__(self, *keys: ApiKey) -> None:
        super().__init__(*keys)
        self.answer = asyncio.Event()

    async def usable(self, _: datetime) -> list[ApiKey]:
        await self.answer.wait()
        raise Unavailable(Code.UNAVAILABLE, "nobody can tell")


async def test_whoever_waits_for_a_look_shares_its_failure() -> None:
    keys, seconds = AwayKeys(kept()), Seconds()
    verify = VerifyApiKeys(keys, HandClock(), seconds)
    asked = []
    for _ in range(50):
        asked.append(asyncio.ensure_future(verify(KEY)))
        await asyncio.sleep(0)
        seconds.now += 0.05  # each of them later than the look began
    keys.answer.set()
    refused = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, Unavailable) for one in refused)
    assert verify.looks == 1


async def test_whoever_gives_up_leaves_the_look_to_the_others() -> None:
    keys = Keys(kept())
    verify = VerifyApiKeys(keys, HandClock())
    impatient, patient = (asyncio.ensure_future(verify(KEY)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).subject == f"key:{ID}"
    assert verify.looks == 1


async def test_its_last_use_is_written_once_in_ten_minutes() -> None:
    keys, clock, seconds = Keys(kept()), HandClock(), Seconds()
    verify = VerifyApiKeys(keys, clock, seconds)
    for _ in range(5):
        seconds.now += 60
        clock.advance(60)
        await verify(KEY)
        await verify.note_used()
    assert keys.noted == [ID]
    clock.advance(USED_STEP.total_seconds())
    seconds.now += 600
    await verify(KEY)
    await verify.note_used()
    assert keys.noted == [ID, ID]


class NoTokens:
    async def caller(self, authorization: str) -> Caller:
        return Caller(authorization, "admin")


@pytest.mark.parametrize("headers", [(None, None), ("Bearer x", KEY), ("", KEY), ("Bearer x", "")])
async def test_none_or_both_ways_to_say_who_asks_are_refused(headers: tuple[str | None, str | None]) -> None:
    with pytest.raises(Unauthenticated):
        await Identify(NoTokens(), VerifyApiKeys(Keys(kept()), HandClock()))(*headers)


def test_a_key_may_what_its_scopes_say_and_nothing_else() -> None:
    key = Caller("key:x", SERVICE, frozenset({Scope.DIRECTORY_WRITE}))
    demand(key, (Role.ADMIN,), scope=Scope.DIRECTORY_WRITE)
    with pytest.raises(Forbidden, match="needs the scope directory:read"):
        demand(key, tuple(Role), scope=Scope.DIRECTORY_READ)
    with pytest.raises(Forbidden, match="no API key"):
        demand(key, tuple(Role))


def test_a_token_that_calls_itself_a_service_may_nothing() -> None:
    with pytest.raises(Forbidden):
        demand(Caller("x", SERVICE), tuple(Role), scope=Scope.DIRECTORY_WRITE)
