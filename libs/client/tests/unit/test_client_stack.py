"""Where the platform is, and what the verifier remembers of it."""

from pathlib import Path

import pytest
from client.errors import ClientError, VerificationError
from client.stack import find
from client.verify.note import Checkpoint, VerifierKey
from client.verify.pins import Pin, Pins, key_to_trust

ONE = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
TWO = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.fixture
def running(tmp_path: Path) -> Path:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/stack.env").write_text("LONGITUDE_MLLP=127.0.0.1:2575\nexport LONGITUDE_KAFKA='h:1'\n# x=y\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    return below


def test_a_stack_is_found_from_any_folder_below_it(running: Path) -> None:
    stack = find(running, {})
    assert stack.endpoint("mllp") == "127.0.0.1:2575"
    assert stack.endpoint("kafka") == "h:1"
    assert stack.state == running.parents[1] / "var"


def test_the_environment_wins_over_the_file(running: Path) -> None:
    assert find(running, {"LONGITUDE_MLLP": "other:1"}).endpoint("mllp") == "other:1"
    assert find(running, {"LONGITUDE_MLLP": ""}).endpoint("mllp") == "127.0.0.1:2575"


def test_a_missing_endpoint_is_named_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"LONGITUDE_MEMORY is not set .* `make up`"):
        find(tmp_path, {"HOME": str(tmp_path)}).endpoint("memory")


def test_a_verified_head_is_remembered(tmp_path: Path) -> None:
    key = VerifierKey.parse(ONE)
    head = Checkpoint(key.name, 7, bytes(range(32)))
    Pins(tmp_path / "var").save(key, head)
    assert Pins(tmp_path / "var").load() == Pin(key, head)


def test_damaged_memory_is_told_and_not_overlooked(tmp_path: Path) -> None:
    Pins(tmp_path).save(VerifierKey.parse(ONE), Checkpoint("x", 1, bytes(32)))
    next(tmp_path.glob("*.json")).write_text("{}")
    with pytest.raises(ClientError, match="delete it to trust the log anew"):
        Pins(tmp_path).load()


def test_a_key_is_trusted_on_first_use_and_another_one_never_after() -> None:
    pin = Pin(key_to_trust(ONE, "", None), None)
    assert str(key_to_trust(ONE, "", pin)) == ONE
    with pytest.raises(VerificationError, match="another key than the pinned one"):
        key_to_trust(TWO, "", pin)


def test_a_given_key_must_be_the_one_that_the_log_presents() -> None:
    assert str(key_to_trust(ONE, ONE, None)) == ONE
    with pytest.raises(VerificationError):
        key_to_trust(TWO, ONE, None)
