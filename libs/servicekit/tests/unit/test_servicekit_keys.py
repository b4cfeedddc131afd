"""The key of the pseudonyms: made once, kept to its owner, and named where it is wrong."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from servicekit.keys import MOST_KEYS, KeyFileError, pseudonym_keys


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonym.key"
    (key,) = pseudonym_keys(path)
    assert len(key) == 32
    assert pseudonym_keys(path) == (key,)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["pseudonym.key"]


def test_who_comes_later_takes_the_key_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text("ab" * 40)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(pseudonym_keys, [path] * 8)) == {(bytes.fromhex("ab" * 40),)}


def test_a_new_key_stands_before_those_that_it_replaces(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text("cd" * 32 + "\n" + "ab" * 32 + "\n")
    assert pseudonym_keys(path) == (b"\xcd" * 32, b"\xab" * 32)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("xyz", "not hexadecimal"),
        ("abcd", "shorter than 32 bytes"),
        ("ab" * 32 + "\nabcd", "shorter than 32 bytes"),
        ("\n".join(["ab" * 32] * (MOST_KEYS + 1)), "more than 16 keys"),
    ],
)
def test_a_key_that_is_none_is_named_by_its_file_and_not_quoted(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text(text)
    with pytest.raises(KeyFileError, match=words) as error:
        pseudonym_keys(path)
    assert str(path) in str(error.value)
    assert text not in str(error.value).replace(str(path), "")


def test_a_key_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match="mount the key there"):
        pseudonym_keys(tmp_path / "file" / "pseudonym.key")
