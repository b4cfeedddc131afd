"""Who a Kafka client of Java is: this process, told by a file of properties."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.kafka import MECHANISM, KafkaAccess
from contracts.tls import Tls

_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"


@contextmanager
def properties(bootstrap: str) -> Iterator[Path]:
    """The file while inside; what it holds is secret."""
    with tempfile.TemporaryDirectory(prefix="longitude-java-") as folder:
        file = Path(folder) / "kafka.properties"
        lines = {"bootstrap.servers": bootstrap, "acks": "all"} | _identity(Path(folder))
        file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="ascii")
        yield file


def _identity(folder: Path) -> dict[str, str]:
    tls, access = Tls.of(os.environ), KafkaAccess.of()
    assert tls is not None, "the stack speaks mutual TLS"
    identity = folder / "identity.pem"
    identity.write_bytes(tls.key.read_bytes() + tls.certificate.read_bytes())
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": MECHANISM,
        "sasl.jaas.config": f'{_LOGIN} required username="{access.user}" password="{access.password}";',
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(identity),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(tls.authority),
    }
