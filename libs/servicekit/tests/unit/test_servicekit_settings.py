import pytest
from servicekit.settings import EX_CONFIG, ObjectStoreSettings, ServiceSettings, load

GOOD = {
    "LONGITUDE_KAFKA": "127.0.0.1:9092",
    "LONGITUDE_GRPC_LISTEN": "0.0.0.0:50051",
    "LONGITUDE_HTTP_LISTEN": "0.0.0.0:8080",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_settings_come_from_the_environment_and_are_frozen() -> None:
    settings = load(ServiceSettings)
    assert settings.kafka == "127.0.0.1:9092"
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, "kafka", "elsewhere:1")  # noqa: B010 - mypy already forbids the plain form


@pytest.mark.parametrize("value", ["secret", ":secret", "secret:", "secret:99999", "secret:x"])
def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LONGITUDE_KAFKA", value)
    with pytest.raises(SystemExit) as exit_:
        load(ServiceSettings)
    message = capsys.readouterr().err
    assert exit_.value.code == EX_CONFIG
    assert "LONGITUDE_KAFKA" in message
    assert "host:port" in message
    assert "secret" not in message


def test_every_missing_variable_has_its_own_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in GOOD:
        monkeypatch.delenv(name)
    with pytest.raises(SystemExit):
        load(ServiceSettings)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(GOOD)


class WithObjects(ServiceSettings, ObjectStoreSettings):
    """As services combine them."""


def test_a_mixed_in_setting_is_read_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("OBJECTS", "127.0.0.1:8333"), ("OBJECTS_ACCESS_KEY", "a"), ("OBJECTS_SECRET_KEY", "b")):
        monkeypatch.setenv(f"LONGITUDE_{name}", value)
    assert load(WithObjects).objects == "127.0.0.1:8333"
