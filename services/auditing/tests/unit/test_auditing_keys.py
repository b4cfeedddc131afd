"""Key files: made once with mode 0600, never shown, refused when they are not what is asked for."""

from pathlib import Path

import pytest
from auditing.adapters.keys import signing_key
from servicekit.keys import KeyFileError, pseudonym_keys


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "log.key"
    first = signing_key(path, "example.com/log")
    assert signing_key(path, "example.com/log").verifier_key == first.verifier_key
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_name("log.key.pub").read_text(encoding="ascii").strip() == first.verifier_key
    assert sorted(p.name for p in path.parent.iterdir()) == ["log.key", "log.key.pub"]


def test_a_key_of_another_log_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path / "log.key", "example.com/log")
    with pytest.raises(KeyFileError, match="LONGITUDE_LOG_ORIGIN"):
        signing_key(tmp_path / "log.key", "example.com/other")


def test_a_damaged_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / "log.key").write_text("PRIVATE+KEY+secret", encoding="ascii")
    with pytest.raises(KeyFileError) as refused:
        signing_key(tmp_path / "log.key", "example.com/log")
    assert "secret" not in str(refused.value)


def test_the_pseudonym_key_lasts(tmp_path: Path) -> None:
    assert pseudonym_keys(tmp_path / "p.key") == pseudonym_keys(tmp_path / "p.key")


@pytest.mark.parametrize("text", ["", "zz", "00ff"])
def test_a_weak_pseudonym_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.key").write_text(text, encoding="ascii")
    with pytest.raises(KeyFileError):
        pseudonym_keys(tmp_path / "p.key")


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(KeyFileError, match="mount the key there or make the folder writable"):
        signing_key(tmp_path / "file" / "log.key", "example.com/log")
