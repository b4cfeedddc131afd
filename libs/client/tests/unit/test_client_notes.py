"""Signed notes and canonical JSON against published examples."""

import base64
import json
import struct

import pytest
from client.errors import VerificationError
from client.verify.canonical_json import canonical, parse_canonical
from client.verify.note import VerifierKey, open_checkpoint, open_note
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

# The example of Go's note package, which C2SP signed-note took over.
KEY = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n\u2014 PeterNeumann {SIGNATURE}\n"
# The key of Go's checksum database, as published.
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


def signed(text: str, seed: bytes = bytes(32)) -> tuple[str, VerifierKey]:
    """A note over `text` by a key named after its first line."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    unsigned = VerifierKey(text.split("\n", maxsplit=1)[0], b"\1\2\3\4", private.public_key().public_bytes_raw())
    signature = base64.b64encode(unsigned.key_id + private.sign(text.encode())).decode()
    return f"{text}\n\u2014 {unsigned.name} {signature}\n", unsigned


def test_the_known_note_opens() -> None:
    assert open_note(NOTE, KEY) == TEXT


def test_published_keys_have_the_ids_that_they_claim() -> None:
    assert str(VerifierKey.parse(SUMDB)) == SUMDB


@pytest.mark.parametrize("key", ["", "a+b", SUMDB.replace("033de0ae", "033de0af"), SUMDB[:-4], SUMDB + "!"])
def test_a_damaged_key_is_refused(key: str) -> None:
    with pytest.raises(VerificationError):
        VerifierKey.parse(key)


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("cryptography", "Cryptography"),
        NOTE.replace("PeterNeumann", "SomeoneElse"),
        NOTE.replace("x08go/ZJ", "x08go/ZK"),
        NOTE.replace("\u2014", "-"),
        NOTE[:-1],
        TEXT,
        "",
        NOTE.replace("\n\n", "\n"),
        NOTE + "\x07",
    ],
)
def test_a_note_changed_anywhere_does_not_open(note: str) -> None:
    with pytest.raises(VerificationError):
        open_note(note, KEY)


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    witness = "\u2014 witness.example AAAAAAAA\n"
    assert open_note(NOTE + witness, KEY) == TEXT


def test_a_checkpoint_is_read() -> None:
    root = base64.b64encode(bytes(range(32))).decode()
    note, key = signed(f"example.com/log\n42\n{root}\n")
    head = open_checkpoint(note, key)
    assert (head.origin, head.size, head.root) == ("example.com/log", 42, bytes(range(32)))


@pytest.mark.parametrize("lines", ["042\n{root}\n", "-1\n{root}\n", "x\n{root}\n", "42\nAAAA\n", "42\n", ""])
def test_a_signed_note_that_is_no_checkpoint_is_refused(lines: str) -> None:
    root = base64.b64encode(bytes(32)).decode()
    note, key = signed(f"example.com/log\n{lines.format(root=root)}")
    with pytest.raises(VerificationError):
        open_checkpoint(note, key)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    note, key = signed(f"example.com/log\n1\n{base64.b64encode(bytes(32)).decode()}\n")
    other = note.replace("example.com/log", "example.com/other", 1)
    with pytest.raises(VerificationError):
        open_checkpoint(other, key)


# RFC 8785 appendix B: IEEE 754 bits and their text.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_the_standard_lists_them(bits: str, text: str) -> None:
    assert canonical(struct.unpack(">d", bytes.fromhex(bits))[0]) == text.encode()


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000"])
def test_what_json_has_no_number_for_is_refused(bits: str) -> None:
    with pytest.raises(ValueError, match="NaN"):
        canonical(struct.unpack(">d", bytes.fromhex(bits))[0])


def test_the_example_of_the_standard_is_canonicalised() -> None:
    example = (
        '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
    )
    assert canonical(json.loads(example)) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_ordered_by_utf16_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    ordered = list(json.loads(canonical(dict.fromkeys(keys, 0))))
    assert ordered == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_is_canonical_parses_to_the_same_value(value: object) -> None:
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    "data", [b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1.0}', b'{"a":1,"a":1}', b"\xff", b"{", b'"\\u0041"', b"[" * 100_000]
)
def test_what_is_not_canonical_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        parse_canonical(data)
