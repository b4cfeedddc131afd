"""Files that are no data of a server: keys, certificates, passwords. A tar of those below one folder."""

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from backup.errors import BackupError


def capture(root: Path, patterns: Sequence[str], sink: BinaryIO) -> int:
    """Write the files that match; how many."""
    files = sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in files:
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            data = path.read_bytes()
            entry.size, entry.mode = len(data), 0o600
            with path.open("rb") as file:
                tar.addfile(entry, file)
    return len(files)


def unpack(source: BinaryIO, folder: Path) -> None:
    """Write them below a folder, for its owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            # No path outside of the folder, no link.
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise BackupError(f"keys cannot be written below {folder}: {type(error).__name__}") from error
