"""Bad input to the running system: a clear answer in the protocol's terms, nothing lost, and the line goes on."""

import socket
from pathlib import Path

import pytest

from tests.observe import Observer, until
from tests.story import MESSAGES, Telling, exchange
from tests.system.after_story import System

GOOD = Telling(90).message(MESSAGES[0])
HEAD = b"MSH|^~\\&|LAB|NORTH|HUB|HUB|20260301103000||%s|BAD%03d|P|2.5.1||||||%s\rPID|1||T1^^^BAD^MR||Testperson^Bad\r"
ED = HEAD % (b"ORU^R01", 5, b"UNICODE UTF-8") + (
    b"OBR|1|P|F|11502-2^Report^LN\rOBX|1|ED|11502-2^Report^LN||^IM^PNG^Base64^iVBORw0KGgo=AAA===|||||F\r"
)


def rejected(observer: Observer) -> int:
    return observer.logged()["MessageRejected"]


def answered_good(endpoints: dict[str, str]) -> bool:
    return b"MSA|AA" in exchange(endpoints, GOOD)


@pytest.mark.parametrize(
    ("message", "codes"),
    [
        (b"", [b"AR"]),
        (b"this is not HL7", [b"AR"]),
        (HEAD % (b"ZZZ^Z99", 2, b""), [b"AR"]),
        (HEAD % (b"ORU^R01", 3, b"KLINGON"), [b"AR", b"AE"]),
        (HEAD % (b"ADT^A01", 4, b"UNICODE UTF-8") + b"PV1|1|I|\xff\xfe\xfd\r", [b"AR", b"AE"]),
        (ED, [b"AE"]),
    ],
    ids=["empty frame", "not HL7", "unknown trigger", "unknown charset", "wrong charset", "truncated base64"],
)
def test_bad_messages_are_refused_with_a_reason_and_kept(system: System, message: bytes, codes: list[bytes]) -> None:
    before = rejected(system.observer)
    answer = exchange(system.stack.endpoints, message)
    assert any(b"MSA|" + code in answer for code in codes), answer
    assert b"\rERR|" in answer
    assert rejected(system.observer) == before + 1
    assert answered_good(system.stack.endpoints)


def test_a_frame_without_an_end_is_kept_when_the_sender_goes_away(system: System) -> None:
    before = rejected(system.observer)
    host, _, port = system.stack.endpoints["LONGITUDE_MLLP"].rpartition(":")
    with socket.create_connection((host, int(port))) as sender:
        sender.sendall(b"\x0b" + GOOD[:200])
    until(lambda: rejected(system.observer) > before, "the piece of a message is kept")
    assert rejected(system.observer) == before + 1


def test_a_file_that_is_not_dicom_is_refused_by_the_command_that_sends_it(system: System, tmp_path: Path) -> None:
    path = tmp_path / "notes.dcm"
    path.write_bytes(b"not a film" * 100)
    done = system.observer.command("send", str(path))
    assert done.returncode != 0
    assert "dicom" in (done.stdout + done.stderr).lower()


@pytest.mark.parametrize(
    "arguments",
    [
        ("timeline", "NOBODY@NOWHERE"),
        ("ask", "NOBODY@NOWHERE", "How are the kidneys?"),
        ("check", __file__, "--patient", "NOBODY@NOWHERE"),
        ("timeline", "no-authority"),
    ],
    ids=["timeline", "ask", "check", "malformed"],
)
def test_an_unknown_patient_is_a_clear_error_without_the_identifier(system: System, arguments: tuple[str, ...]) -> None:
    done = system.observer.command(*arguments)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "NOBODY" not in done.stderr
    assert len((done.stdout + done.stderr).strip().splitlines()) <= 5
