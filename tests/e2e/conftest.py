"""One running Kabar for every end-to-end test; each test uses numbers and notifications of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.kabar import UNLIMITED, Kabar, running_kabar


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_kabar(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kabar]:
    settings = {
        **UNLIMITED,
        "WHATSAPP_QUEUE_DELAY": "0.2",
        "WHATSAPP_READ_TIMEOUT": "2",
        "KABAR_UNKNOWN_WAIT_SECONDS": "2",
        "KABAR_FAILED_RETRY_SECONDS": "3",
        "KABAR_REPLICAS_DISPATCHER": "2",
    }
    async with running_kabar(tmp_path_factory.mktemp("kabar"), settings) as kabar:
        yield kabar


@pytest_asyncio.fixture(loop_scope="session")
async def kabar(shared_kabar: Kabar) -> AsyncIterator[Kabar]:
    """The running Kabar with healthy providers, whatever the test before did to them."""
    yield shared_kabar
    await shared_kabar.sandbox.reset()
    await shared_kabar.resume_all()
