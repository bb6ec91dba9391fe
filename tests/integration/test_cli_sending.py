"""What is sent, tested, told and signed with `kabar`, against a real api-gateway."""

import csv
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.support.api import SECRET, Api, wait_until
from tests.support.command_line import Ran, installed, ran
from tests.support.stored_deliveries import stored_delivery

BAD_ROWS = (
    "id;name;phone;area\nC-1;Sari;081200000001;Bandung\n;nobody;;\nC-3;Budi;12345678;Bandung\nC-4;Tono;tidak ada;\n"
)


@pytest.fixture(autouse=True)
def empty(api: Api) -> Iterator[None]:
    """Nothing was sent and nobody is known."""
    yield
    for name in ("deliveries", "notifications", "customers"):
        api.rows[name].delete_many({})


@contextmanager
def planned_as(api: Api, *statuses: str) -> Iterator[None]:
    """In the dispatcher's place, give the next notification deliveries with these statuses."""

    def plan() -> None:
        wait_until(lambda: api.rows["notifications"].find_one() is not None, "nothing was accepted")
        of = api.rows["notifications"].find_one() or {}
        rows = [stored_delivery(status, notification=of, to=f"62812000000{n:02}") for n, status in enumerate(statuses)]
        api.rows["deliveries"].insert_many(rows)
        api.rows["notifications"].update_one({"_id": of["_id"]}, {"$set": {"status": "planned"}})

    planning = threading.Thread(target=plan)
    planning.start()
    yield
    planning.join()


def accepted(api: Api) -> list[dict[str, Any]]:
    return list(api.rows["notifications"].find())


def test_a_text_is_shown_masked_and_sent_only_once_it_is_agreed_to(api: Api) -> None:
    arguments = ("send", "--to", "081200000001", "--to", "6281200000002", "-m", "Halo dari Kabar")
    told = ran(api, *arguments, typed="\n")
    assert (told.code, accepted(api)) == (1, [])
    assert "0812*****001, 6281******002" in told.err
    assert "Halo dari Kabar" in told.err
    assert "081200000001" not in told.err
    told = ran(api, *arguments, typed="y\n", role="manager")
    (one,) = accepted(api)
    assert (told.code, one["recipients"]) == (0, 2)
    assert told.out.startswith(f"Accepted as {one['_id']} for 2 recipients.\n")
    assert f"kabar delivery show {one['_id']}" in told.out


def test_the_same_key_sends_once(api: Api) -> None:
    arguments = ("send", "--to", "6281200000001", "-m", "Halo", "--yes", "--json", "--key", "tagihan-1")
    first, again = ran(api, *arguments), ran(api, *arguments)
    assert json.loads(first.out) == json.loads(again.out)
    assert json.loads(first.out).keys() >= {"success", "notification_id", "deliveries", "estimated_finish"}
    assert len(accepted(api)) == 1
    told = ran(api, "send", "--to", "6281200000001", "-m", "Hai", "--yes", "--key", "tagihan-1")
    assert (told.code, "error: " in told.err) == (1, True)


def test_a_type_is_sent_with_its_values(api: Api, tmp_path: Path) -> None:
    api.rows["customers"].insert_one({"_id": "C-1", "name": "Sari", "phone": "6281200000001", "status": "active"})
    assert ran(api, "send", "welcome", "--data", "customer_id=C-1", "--yes").code == 0
    file = tmp_path / "incident.json"
    file.write_text('{"title": "Putus", "description": "Kabel putus"}')
    actions = 'actions:=["tim jalan"]'
    told = ran(api, "send", "incident_report", "--data-file", str(file), "-d", actions, "--to", "6281200000001", "-y")
    assert told.code == 0, told.err
    assert {one["type"] for one in accepted(api)} == {"welcome", "incident_report"}


def test_a_code_is_not_shown(api: Api) -> None:
    told = ran(api, "send", "otp", "--to", "6281200000001", "-d", "code=493817", "--yes")
    assert (told.code, "493817" in told.err + told.out) == (0, False)


def test_many_recipients_come_from_stdin(api: Api) -> None:
    numbers = "6281200000001\n\n6281200000002\n12\n"
    told = ran(api, "send", "--to", "-", "-m", "Halo", "--yes", typed=numbers)
    assert told.code == 0
    assert "left out: **: not an Indonesian mobile number" in told.err
    assert accepted(api)[0]["recipients"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--to", "12", "-m", "Halo"), 1, "not an Indonesian mobile number"),
        (("--to", "6281200000001", "-m", "Halo", "--priority", "urgent"), 1, "error: priority: "),
        (("welcome", "-d", "customer_id=C-9"), 1, "error: data.customer_id: no customer C-9 is known"),
        (("welcome", "-d", "C-9"), 2, "must read name=text or name:=json"),
        (("welcome", "-d", "a:={"), 2, "is not JSON"),
        (("shout", "--to", "6281200000001"), 1, "error: type: "),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_field(
    api: Api, arguments: tuple[str, ...], code: int, said: str
) -> None:
    told = ran(api, "send", *arguments, "--yes")
    assert told.code == code
    assert said in told.err
    assert (told.out, accepted(api)) == ("", [])


def test_who_may_not_is_told_so_with_4(api: Api) -> None:
    told = ran(api, "send", "--to", "6281200000001", "-m", "Halo", "--yes", "--json", role="technician")
    assert (told.code, json.loads(told.out)["code"]) == (4, "FORBIDDEN")
    assert told.err.splitlines()[-1].startswith("error: type custom needs one of the roles admin, manager")
    told = ran(api, "queue", "status", KABAR_TOKEN="nonsense")
    assert told.code == 4
    assert "set -a; . .run/env" in told.err


def test_the_outcome_is_waited_for_and_its_timeline_shown(api: Api) -> None:
    with planned_as(api, "sent"):
        told = ran(api, "send", "--to", "6281200000001", "-m", "Halo", "--yes", "--wait")
    assert told.code == 0
    assert "custom to 6281******000: sent" in told.out
    assert "put there by a test" in told.out


def test_one_that_fails_ends_with_1_and_many_are_summed_up(api: Api) -> None:
    to = [word for n in range(5) for word in ("--to", f"62812000000{n:02}")]
    with planned_as(api, "sent", "sent", "sent", "failed", "expired"):
        told = ran(api, "send", *to, "-m", "Halo", "--yes", "--wait")
    assert told.code == 1
    assert {"3 sent", "1 failed", "1 expired"} == set(told.out.splitlines()[0].partition(": ")[2].split(", "))
    assert told.out.count("put there") == 0
    assert told.out.count("6281******") == 2


def test_with_json_the_outcome_is_one_document(api: Api) -> None:
    with planned_as(api, "read"):
        found = json.loads(ran(api, "send", "--to", "6281200000001", "-m", "Hai", "-y", "--wait", "--json").out)
    assert found.keys() == {"accepted", "notification", "deliveries"}
    assert [one["status"] for one in found["deliveries"]] == ["read"]


def test_what_is_not_over_in_time_ends_with_5(api: Api) -> None:
    with planned_as(api, "queued"):
        told = ran(api, "send", "--to", "6281200000001", "-m", "Halo", "-y", "--wait", "--wait-seconds", "1")
    assert (told.code, "Not over after 1 s" in told.err) == (5, True)


def test_what_is_scheduled_for_later_is_not_waited_for(api: Api) -> None:
    with planned_as(api, "scheduled"):
        told = ran(api, "send", "--to", "6281200000001", "-m", "Halo", "-y", "--wait", "--wait-seconds", "60")
    assert (told.code, "Scheduled for later; look again with: kabar delivery show ntf_" in told.err) == (5, True)


def test_a_test_message_goes_to_the_administrator_unless_it_is_said(api: Api) -> None:
    told = ran(api, "test", "whatsapp", "--yes", role="noc")
    assert told.code == 0
    assert "ADMIN_WHATSAPP_NUMBER" in told.err
    assert accepted(api)[0]["audience"][0]["to"] == "6281200000099"
    told = ran(api, "test", "whatsapp", "--to", "6281200000001", "-m", "Uji", typed="n\n")
    assert (told.code, len(accepted(api))) == (1, 1)


def test_the_text_of_the_dunning_goes_to_the_tester_alone(api: Api) -> None:
    told = ran(api, "test", "dunning", "--to", "6281200000001", "--type", "payment_overdue", "--yes")
    assert told.code == 0, told.err
    (one,) = accepted(api)
    assert (one["type"], one["recipients"]) == ("custom", 1)
    assert "Rp" in one["message"]
    assert one["message"].splitlines()[0] in told.err


def test_rows_are_imported_and_the_bad_ones_told_of(api: Api, tmp_path: Path) -> None:
    file, report = tmp_path / "customers.csv", tmp_path / "errors.csv"
    file.write_text(BAD_ROWS, "utf-8-sig")
    told = ran(api, "import", "customers", str(file), "--dry-run")
    assert told.code == 1
    assert told.out.startswith("Dry run, nothing is kept: 4 rows read: 1 new, 0 changed, 0 unchanged, 3 refused.\n")
    assert api.rows["customers"].count_documents({}) == 0
    told = ran(api, "import", "customers", str(file), "--report", str(report))
    assert told.code == 1
    assert [one["_id"] for one in api.rows["customers"].find()] == ["C-1"]
    with report.open(newline="") as written:
        rows = list(csv.DictReader(written))
    assert [(one["line"], one["field"], one["code"]) for one in rows] == [
        ("3", "id", "VALIDATION_ERROR"),
        ("4", "phone", "INVALID_PHONE"),
        ("5", "phone", "INVALID_PHONE"),
    ]
    assert f"{report} holds all of them." in told.err
    file.write_text("id;name\nC-1;Sari\n")
    told = ran(api, "import", "customers", str(file), "--json")
    assert (told.code, json.loads(told.out)["unchanged"]) == (0, 1)


def test_a_file_that_is_none_is_refused_as_a_whole(api: Api, tmp_path: Path) -> None:
    assert ran(api, "import", "customers", str(tmp_path / "none.csv")).code == 2
    assert ran(api, "import", "shoes", str(tmp_path)).code == 2
    told = ran(api, "import", "customers", str(Path(__file__)), "--report", str(tmp_path / "none" / "report.csv"))
    assert (told.code, "cannot be written: No such file or directory" in " ".join(told.err.split())) == (2, True)
    file = tmp_path / "customers.csv"
    file.write_text("id;shoe\nC-1;42\n")
    told = ran(api, "import", "customers", str(file))
    assert (told.code, "shoe" in told.err) == (1, True)
    file.write_bytes(b"")
    assert ran(api, "import", "customers", str(file)).code == 1


def token(*arguments: str, secret: str = SECRET, **environment: str) -> Ran:
    return installed(
        "token", "create", "--subject", "sari", *arguments, environment={"KABAR_JWT_SECRET": secret, **environment}
    )


def test_a_token_made_here_is_taken_there(api: Api) -> None:
    made = token("--role", "noc", "--hours", "2", KABAR_JWT_ISSUER="kabar")
    assert made.code == 0, made.err
    claims = jwt.decode(made.out.strip(), SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["role"], claims["iss"]) == ("sari", "noc", "kabar")
    assert ran(api, "queue", "status", KABAR_TOKEN=made.out.strip()).code == 0
    assert json.loads(token("--role", "cs", "--json").out).keys() == {"token", "role", "subject", "expires_at"}


def test_a_token_is_signed_with_the_first_line_of_the_secrets_file(tmp_path: Path) -> None:
    new = "the new secret of this test, long"
    (tmp_path / "KABAR_JWT_SECRET").write_text(f"\n{new}\n{SECRET}\n")
    made = token("--role", "noc", secret=SECRET, KABAR_SECRETS_DIRECTORY=str(tmp_path))
    assert jwt.decode(made.out.strip(), new, algorithms=["HS256"])["role"] == "noc"
    (tmp_path / "KABAR_JWT_SECRET").write_bytes(b"\xff")
    unreadable = token("--role", "noc", KABAR_SECRETS_DIRECTORY=str(tmp_path))
    assert (unreadable.code, "cannot be read" in unreadable.err, unreadable.out) == (2, True, "")


def test_a_token_needs_its_secret_from_the_environment() -> None:
    for secret, why in (("", "is not set"), ("short", "is shorter than 16 characters")):
        told = token("--role", "noc", secret=secret)
        assert (told.code, f"error: KABAR_JWT_SECRET {why}" in told.err) == (2, True)
    assert token("--role", "boss").code == 2
    assert token("--role", "noc", "--hours", "0").code == 2
    assert "SECRET" not in installed("token", "create", "--help", environment={}).out.split("Options:")[1]
