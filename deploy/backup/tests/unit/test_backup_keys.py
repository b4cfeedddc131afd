import io
import tarfile
from pathlib import Path

import pytest
from backup import keys
from backup.errors import BackupError


def test_keys_come_back_for_their_owner_only(tmp_path: Path) -> None:
    root = tmp_path / "stack"
    (root / "data" / "auditing").mkdir(parents=True)
    (root / "data" / "auditing" / "signing.key").write_text("PRIVATE")
    (root / "credentials.json").write_text("{}")
    (root / "stack.env").write_text("no key")
    sink = io.BytesIO()
    assert keys.capture(root, ["credentials.json", "data/*/*.key"], sink) == 2
    keys.unpack(io.BytesIO(sink.getvalue()), tmp_path / "new")
    written = {p.relative_to(tmp_path / "new").as_posix(): p for p in (tmp_path / "new").rglob("*") if p.is_file()}
    assert {name: path.read_text() for name, path in written.items()} == {
        "credentials.json": "{}",
        "data/auditing/signing.key": "PRIVATE",
    }
    assert {path.stat().st_mode & 0o777 for path in written.values()} == {0o600}


@pytest.mark.parametrize("name", ["../outside", "/outside"])
def test_no_key_is_written_outside(tmp_path: Path, name: str) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    if name.startswith("/"):
        # The leading slash is taken away.
        keys.unpack(io.BytesIO(sink.getvalue()), tmp_path / "new")
        assert (tmp_path / "new" / "outside").exists()
        return
    with pytest.raises(BackupError, match="cannot be written below"):
        keys.unpack(io.BytesIO(sink.getvalue()), tmp_path / "new")
