"""A backup reaches the vectors as memory does."""

import pytest
from backup.settings import Settings
from pydantic import ValidationError

GOOD = {
    "LONGITUDE_BACKUP_PASSPHRASE_FILE": "/run/passphrase",
    "LONGITUDE_POSTGRES": "postgresql://longitude@localhost/longitude",
    "LONGITUDE_POSTGRES_PLAINTEXT": "true",
    "LONGITUDE_OBJECTS": "localhost:8333",
    "LONGITUDE_OBJECTS_ACCESS_KEY": "a",
    "LONGITUDE_OBJECTS_SECRET_KEY": "b",
    "LONGITUDE_KAFKA": "localhost:9092",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    # By TLS, whatever this machine's variables say.
    monkeypatch.setattr("servicekit.settings.https", lambda _: object())


@pytest.mark.parametrize("url", ["", "https://qdrant:6333", "edge:/var/vectors"])
def test_vectors_are_a_server_by_tls_a_folder_or_none(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LONGITUDE_QDRANT", url)
    assert Settings().qdrant == url


@pytest.mark.parametrize("url", ["http://qdrant:6333", "qdrant:6333", "edge:vectors"])
def test_another_address_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LONGITUDE_QDRANT", url)
    with pytest.raises(ValidationError, match="must be https://"):
        Settings()
