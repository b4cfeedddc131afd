"""The key of the pseudonyms: made once, kept to its owner, and named where it is wrong."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from servicekit.keys import KeyFileError, pseudonym_key


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonym.key"
    key = pseudonym_key(path)
    assert len(key) == 32
    assert pseudonym_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["pseudonym.key"]


def test_who_comes_later_takes_the_key_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text("ab" * 40)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(pseudonym_key, [path] * 8)) == {bytes.fromhex("ab" * 40)}


@pytest.mark.parametrize(("text", "words"), [("xyz", "not hexadecimal"), ("abcd", "shorter than 32 bytes")])
def test_a_key_that_is_none_is_named_by_its_file_and_not_quoted(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text(text)
    with pytest.raises(KeyFileError, match=words) as error:
        pseudonym_key(path)
    assert str(path) in str(error.value)
    assert text not in str(error.value).replace(str(path), "")


def test_a_key_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match="mount the key there"):
        pseudonym_key(tmp_path / "file" / "pseudonym.key")
