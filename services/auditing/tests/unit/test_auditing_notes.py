"""Signed notes against the example of Go's note package, which C2SP took over."""

import pytest
from auditing.domain.merkle import EMPTY_ROOT
from auditing.domain.notes import Checkpoint, Signer

PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_the_note_is_that_of_the_known_vector() -> None:
    assert Signer.parse(PRIVATE).sign(TEXT) == f"{TEXT}\n\u2014 PeterNeumann {SIGNATURE}\n"


def test_the_verifier_key_is_that_of_the_known_vector() -> None:
    assert Signer.parse(PRIVATE).verifier_key == VERIFIER


def test_an_exported_key_is_the_same_key() -> None:
    signer = Signer.generate("example.com/log")
    assert Signer.parse(signer.export()).verifier_key == signer.verifier_key


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+x", PRIVATE.replace("c74f20a3", "c74f20a4"), PRIVATE[:-4]])
def test_a_damaged_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        Signer.parse(text)
    assert "AYEKFALV" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_name_that_a_note_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Signer.generate(name)


def test_a_checkpoint_has_the_three_lines_of_its_specification() -> None:
    text = Checkpoint("example.com/log", 0, EMPTY_ROOT).text()
    assert text == "example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def test_keys_of_one_log_all_sign_and_retired_ones_are_named() -> None:
    new, old, older = (Signer.generate("example.com/log") for _ in range(3))
    signer = Signer.parse_all(f"{new.export()}\n{old.export()}\n{older.verifier_key}\n")
    assert signer.verifier_key == new.verifier_key
    assert signer.older_keys == [old.verifier_key, older.verifier_key]
    assert signer.sign(TEXT) == f"{TEXT}\n" + new.line(TEXT) + old.line(TEXT)
    with pytest.raises(ValueError, match="different names"):
        Signer.parse_all(f"{new.export()}\n{Signer.generate('example.com/other').export()}")
