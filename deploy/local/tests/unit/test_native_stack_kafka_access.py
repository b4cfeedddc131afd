"""What a process shows Kafka follows its files, and never half of them."""

import ssl
from pathlib import Path

from contracts.kafka import KafkaAccess
from native_stack import authority


def test_while_the_files_do_not_fit_together_the_last_ones_are_shown(tmp_path: Path) -> None:
    authority.issue(tmp_path, ["memory"])
    access = KafkaAccess.of(authority.settings(tmp_path, "memory"))
    assert access.context is not None
    (tmp_path / "memory.key").write_text("half of a key")
    assert access.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="127.0.0.1").context
