"""The witness over HTTP, in a process of its own: it cosigns what grew, once, and forgets nothing."""

import base64
import hashlib
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client.errors import VerificationError
from client.verify.merkle import leaf_hash, node_hash
from client.verify.witness import Quorum, WitnessKey, cosigned_at, require_quorum
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from witness.cosigning import public_key

ORIGIN, NAME = "test.local/log", "test.local/witness"


class Log:
    """A log of four leaves at most, and the proofs between its trees (RFC 6962, section 2.1)."""

    def __init__(self, key: Ed25519PrivateKey, *leaves: bytes) -> None:
        self._key = key
        self._public = b"\x01" + key.public_key().public_bytes_raw()
        self.hashes = [leaf_hash(each) for each in leaves]

    @property
    def verifier(self) -> str:
        return f"{ORIGIN}+{self._id.hex()}+{base64.b64encode(self._public).decode()}"

    @property
    def _id(self) -> bytes:
        return hashlib.sha256(ORIGIN.encode() + b"\n" + self._public).digest()[:4]

    def root(self, size: int) -> bytes:
        a, b, c, d = [*self.hashes, b"", b"", b"", b""][:4]
        return [b"", a, node_hash(a, b), node_hash(node_hash(a, b), c), node_hash(node_hash(a, b), node_hash(c, d))][
            size
        ]

    def proof(self, old: int, new: int) -> list[bytes]:
        a, b, c, d = [*self.hashes, b"", b"", b"", b""][:4]
        known = {(1, 2): [b], (1, 3): [b, c], (2, 3): [c], (2, 4): [node_hash(c, d)], (3, 4): [c, d, node_hash(a, b)]}
        return known.get((old, new), [])

    def note(self, size: int, origin: str = ORIGIN) -> str:
        text = f"{origin}\n{size}\n{base64.b64encode(self.root(size)).decode()}\n"
        signature = base64.b64encode(self._id + self._key.sign(text.encode())).decode()
        return f"{text}\n\u2014 {ORIGIN} {signature}\n"

    def body(self, old: int, new: int, proof: list[bytes] | None = None) -> str:
        hashes = self.proof(old, new) if proof is None else proof
        return "\n".join([f"old {old}", *(base64.b64encode(each).decode() for each in hashes), "", self.note(new)])


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def log(key: Ed25519PrivateKey) -> Log:
    return Log(key, b"a", b"b", b"c", b"d")


Add = Callable[[str], tuple[int, str]]


class Running:
    """The witness as a process; killed and started again on the same folder."""

    def __init__(self, folder: Path, log: Log) -> None:
        self.folder = folder
        (folder / "log.pub").write_text(log.verifier + "\n")
        (folder / "witness.key").write_text(secrets.token_hex(32) + "\n")
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LONGITUDE_HTTP_LISTEN": f"127.0.0.1:{self.port}",
            "LONGITUDE_WITNESS_NAME": NAME,
            "LONGITUDE_WITNESS_KEY_FILE": str(self.folder / "witness.key"),
            "LONGITUDE_WITNESS_STATE": str(self.folder),
            "LONGITUDE_LOG_KEYS": str(self.folder / "log.pub"),
        }

    def start(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        self.process = subprocess.Popen([sys.executable, "-m", "witness"], env=os.environ | self.environment)
        for _ in range(400):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the witness did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def add(self, body: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.port}/add-checkpoint"
        try:
            with urllib.request.urlopen(url, body.encode(), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def witness(tmp_path: Path, log: Log) -> Iterator[Running]:
    running = Running(tmp_path, log)
    yield running
    running.kill()


def key_of(witness: Running) -> WitnessKey:
    return WitnessKey.parse(str(public_key(NAME, bytes.fromhex((witness.folder / "witness.key").read_text()))))


def test_a_tree_that_grows_is_cosigned_and_anyone_sees_when(witness: Running, log: Log) -> None:
    for old, new in ((0, 1), (1, 3), (3, 4), (4, 4)):
        status, line = witness.add(log.body(old, new))
        assert (status, line.count("\n")) == (200, 1)
        at = cosigned_at(log.note(new) + line, key_of(witness))
        assert at is not None
        assert abs(at.timestamp() - time.time()) < 60
        assert require_quorum(log.note(new) + line, [key_of(witness)], 1) == 1


def test_a_rewritten_tree_and_a_second_view_are_not_cosigned(
    witness: Running, log: Log, key: Ed25519PrivateKey
) -> None:
    """The log's own key signs both: only the witness tells them apart, and a fresh verifier asks for it."""
    assert witness.add(log.body(0, 3))[0] == 200
    other = Log(key, b"a", b"x", b"c", b"d")
    assert witness.add(other.body(3, 3)) == (409, "3\n")
    assert witness.add(other.body(3, 4))[0] == 422
    assert witness.add(other.body(0, 4)) == (409, "3\n")
    assert witness.add(log.body(3, 4))[0] == 200
    with pytest.raises(VerificationError, match="0 of 1 witnesses"):
        require_quorum(other.note(4), [key_of(witness)], 1)


def test_what_it_cosigned_survives_a_kill(witness: Running, log: Log, key: Ed25519PrivateKey) -> None:
    assert witness.add(log.body(0, 3))[0] == 200
    before = key_of(witness)
    witness.kill()
    witness.start()
    assert key_of(witness) == before
    assert witness.add(Log(key, b"a", b"x", b"c", b"d").body(0, 4)) == (409, "3\n")
    assert witness.add(log.body(3, 4))[0] == 200


def test_every_other_request_gets_the_answer_of_the_protocol(
    witness: Running, log: Log, key: Ed25519PrivateKey
) -> None:
    stranger = Log(Ed25519PrivateKey.generate(), b"a", b"b", b"c", b"d")
    wanted = {
        log.body(4, 3): 400,
        "": 400,
        "old 01\n\n" + log.note(1): 400,
        "old 0\nno base64\n\n" + log.note(1): 400,
        "\n".join(["old 0", *["AAAA"] * 64, "", log.note(1)]): 400,
        "old 0\n\n" + log.note(1, "other.local/log"): 404,
        stranger.body(0, 1): 403,
        log.body(0, 2, [b"\0" * 32]): 422,
        log.body(1, 2): 409,
    }
    assert {body: witness.add(body)[0] for body in wanted} == wanted
    assert witness.add("x" * 100_000)[0] == 413


def test_a_cosignature_of_another_text_or_key_does_not_count(witness: Running, log: Log) -> None:
    _, line = witness.add(log.body(0, 1))
    with pytest.raises(VerificationError, match="is wrong"):
        cosigned_at(log.note(2) + line, key_of(witness))
    second = public_key(NAME, secrets.token_bytes(32))
    assert cosigned_at(log.note(1) + line, second) is None
    quorum = Quorum.of([str(key_of(witness)), str(second)])
    assert quorum.least == 2
    with pytest.raises(VerificationError, match="1 of 2 witnesses cosigned the checkpoint, and 2 must"):
        require_quorum(log.note(1) + line, quorum.keys, quorum.least)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LONGITUDE_HTTP_LISTEN", "9081"),
        ("LONGITUDE_WITNESS_NAME", "two words"),
        ("LONGITUDE_WITNESS_KEY_FILE", "/nowhere"),
        ("LONGITUDE_WITNESS_STATE", "/nowhere"),
        ("LONGITUDE_LOG_KEYS", ""),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_served(witness: Running, variable: str, value: str) -> None:
    environment = os.environ | witness.environment | {variable: value}
    done = subprocess.run(
        [sys.executable, "-m", "witness"], env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 78
    assert done.stderr.startswith(f"{variable}: ")
