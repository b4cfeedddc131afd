import io
from pathlib import Path

import pytest
from backup.errors import BackupError
from backup.sealing import Key, SealedWriter, open_sealed, read_passphrase

SALT = bytes(16)


@pytest.fixture(scope="module")
def key() -> Key:
    return Key(b"correct horse battery", SALT)


def write(path: Path, key: Key, data: bytes, name: str = "postgres") -> SealedWriter:
    writer = SealedWriter(path, key, name)
    with writer:
        source = io.BytesIO(data)
        # Pieces that fit no chunk.
        while piece := source.read(100_003):
            writer.write(piece)
    return writer


@pytest.mark.parametrize("size", [0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 1_000_000])
def test_what_was_written_is_read_and_nobody_sees_it(tmp_path: Path, key: Key, size: int) -> None:
    data = (b"MRN 204417 " * (size // 11 + 1))[:size]
    writer = write(tmp_path / "file", key, data)
    lies = (tmp_path / "file").read_bytes()
    assert (writer.size, (tmp_path / "file").stat().st_mode & 0o777) == (len(lies), 0o600)
    assert b"MRN" not in lies
    with open_sealed(tmp_path / "file", key, "postgres") as file:
        assert file.read() == data


@pytest.mark.parametrize(
    "change", ["a byte", "a chunk less", "two chunks change places", "another name", "another key"]
)
def test_what_was_altered_is_not_read(tmp_path: Path, key: Key, change: str) -> None:
    path, chunk = tmp_path / "file", 256 * 1024 + 16
    write(path, key, bytes(700_000))
    data = path.read_bytes()
    head, body = data[:-700_048][:35], data[35:]
    altered = {
        "a byte": data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
        "a chunk less": head + body[: 2 * chunk],
        "two chunks change places": head + body[chunk : 2 * chunk] + body[:chunk] + body[2 * chunk :],
    }
    path.write_bytes(altered.get(change, data))
    wanted = Key(b"another horse battery", SALT) if change == "another key" else key
    with (
        open_sealed(path, wanted, "keys" if change == "another name" else "postgres") as file,
        pytest.raises(BackupError, match="damaged, or of another passphrase"),
    ):
        file.read()


def test_a_passphrase_that_others_read_or_that_is_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    with pytest.raises(BackupError, match="name a file with the passphrase"):
        read_passphrase(file)
    file.write_text("a long enough passphrase\n")
    file.chmod(0o644)
    with pytest.raises(BackupError, match="others may read it"):
        read_passphrase(file)
    file.chmod(0o600)
    assert read_passphrase(file) == b"a long enough passphrase"
    file.write_text("short\n")
    with pytest.raises(BackupError, match="shorter than 16 bytes"):
        read_passphrase(file)
