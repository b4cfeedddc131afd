import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contracts.tls import Tls
from cryptography import x509
from native_stack import authority


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


def held(folder: Path, name: str) -> Tls:
    made = Tls.of(authority.settings(folder, name))
    assert made is not None
    return made


def test_what_is_issued_is_kept_and_lies_open_to_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    authority.issue(folder, ["memory"])
    first = files(folder)
    authority.issue(folder, ["memory", "kafka"])
    assert {name: files(folder)[name] for name in first} == first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in folder.glob("*.key"))


@pytest.mark.parametrize(("days", "renewed"), [(59, 0), (61, 1), (91, 1)])
def test_a_certificate_near_its_end_is_renewed_and_the_authority_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, renewed: int
) -> None:
    authority.issue(tmp_path, ["memory"])
    first = files(tmp_path)

    class Later:
        @staticmethod
        def now(_: object) -> datetime:
            return datetime.now(UTC) + timedelta(days=days)

    monkeypatch.setattr(authority, "datetime", Later)
    authority.issue(tmp_path, ["memory"])
    assert (files(tmp_path)["memory.pem"] != first["memory.pem"]) == renewed
    assert files(tmp_path)["authority.pem"] == first["authority.pem"]


def test_a_new_authority_issues_everything_anew(tmp_path: Path) -> None:
    authority.issue(tmp_path, ["memory"])
    first = files(tmp_path)
    (tmp_path / "authority.key").unlink()
    authority.issue(tmp_path, ["memory"])
    assert not {name for name, data in files(tmp_path).items() if first[name] == data}
    held(tmp_path, "memory").check()


def test_a_certificate_is_for_one_name_here_and_signs_no_other(tmp_path: Path) -> None:
    authority.issue(tmp_path, ["memory"])
    certificate, root = (
        x509.load_pem_x509_certificate((tmp_path / f"{n}.pem").read_bytes()) for n in ("memory", "authority")
    )
    certificate.verify_directly_issued_by(root)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://longitude/memory"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "memory"]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
