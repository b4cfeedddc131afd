"""A package is what its publisher signed, or it is refused; a key that was miscopied is no key."""

import json
from collections.abc import Callable

import pytest
from contracts.packages import PackageError, canonical, read, signed_bytes, under
from contracts.publishers import PublisherKey, PublisherKeyError, SigningKey, read_publishers, verify
from google.protobuf import json_format
from longitude.memory.v1.memory_service_pb2 import EvidenceManifest
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import CodedConcept

KEY = SigningKey("society.example", bytes(range(32)))
TRUSTED = {KEY.name: (KEY.publisher,)}


def passage(name: str = "one", text: str = "Füll “text”\twith\u2028signs.") -> Passage:
    return Passage(passage_id=name, text=text, codes=[CodedConcept(system="s", code="c")])


PASSAGES = [passage("one"), passage("two", "Another text.")]
SIGNED = KEY.sign("2026", "2026-11-28", PASSAGES)


def test_what_a_trusted_publisher_signed_is_taken() -> None:
    verify(SIGNED, PASSAGES, TRUSTED)


CHANGES: dict[str, Callable[[EvidenceManifest, list[Passage]], tuple[EvidenceManifest, list[Passage]]]] = {
    "a word": lambda manifest, passages: (manifest, [passage("one", "Other."), passages[1]]),
    "the order": lambda manifest, passages: (manifest, passages[::-1]),
    "one less": lambda manifest, passages: (manifest, passages[:1]),
    "one more": lambda manifest, passages: (manifest, [*passages, passage("three")]),
    "the edition": lambda manifest, passages: (altered(manifest, edition="2027"), passages),
    "the date": lambda manifest, passages: (altered(manifest, date="2026-11-29"), passages),
    "no signature": lambda manifest, passages: (altered(manifest, signature=b""), passages),
    "another signature": lambda manifest, passages: (altered(manifest, signature=bytes(64)), passages),
}


def altered(manifest: EvidenceManifest, **fields: str | bytes) -> EvidenceManifest:
    made = EvidenceManifest()
    made.CopyFrom(manifest)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("change", CHANGES)
def test_a_package_of_which_anything_was_changed_is_refused(change: str) -> None:
    with pytest.raises(PackageError, match="signature of the package does not hold"):
        verify(*CHANGES[change](SIGNED, PASSAGES), TRUSTED)


def test_a_publisher_whom_nobody_trusts_is_refused_and_so_is_a_stranger_under_a_trusted_name() -> None:
    stranger = SigningKey.generate("stranger")
    with pytest.raises(PackageError, match="not among those that are trusted"):
        verify(stranger.sign("1", "2026-11-28", PASSAGES), PASSAGES, TRUSTED)
    forger = SigningKey.generate(KEY.name)
    with pytest.raises(PackageError, match="does not hold"):
        verify(forger.sign("1", "2026-11-28", PASSAGES), PASSAGES, TRUSTED)


def test_a_publisher_may_have_an_old_key_and_a_new_one() -> None:
    new = SigningKey.generate(KEY.name)
    both = read_publishers(f"# keys\n{KEY.publisher}\n\n{new.publisher}  # since June\n")
    for signer in (KEY, new):
        verify(signer.sign("1", "2026-11-28", PASSAGES), PASSAGES, both)


def test_the_layout_of_a_file_is_not_what_is_signed() -> None:
    forms = [json_format.MessageToDict(each) for each in PASSAGES]
    compact = "".join(json.dumps(form, separators=(",", ":")) + "\r\n\r\n" for form in forms)
    wide = "".join(json.dumps(form | {"grade": ""}, ensure_ascii=False, sort_keys=True) + "\n" for form in forms)
    for text in (compact, wide):
        package = read(under(SIGNED, text))
        assert package.manifest == SIGNED
        verify(package.manifest, package.passages, TRUSTED)


def test_signing_again_changes_the_first_line_of_a_file_alone() -> None:
    first = under(SIGNED, '{"passageId": "one",   "text": "x"}\n')
    again = under(KEY.sign("2027", "2026-11-28", read(first).passages), first)
    assert again.splitlines()[1:] == first.splitlines()[1:] == ['{"passageId": "one",   "text": "x"}']
    assert read(again).manifest != read(first).manifest


def test_the_signed_bytes_are_the_ones_that_the_page_says() -> None:
    manifest = EvidenceManifest(publisher="p", edition="1", date="2026-11-28", signature=b"none of it")
    assert (
        signed_bytes(manifest, [Passage(passage_id="a", text="b\n“c”")])
        == (
            "longitude evidence package v1\n"
            '{"date":"2026-11-28","edition":"1","publisher":"p"}\n'
            '{"passageId":"a","text":"b\\n“c”"}\n'
        ).encode()
    )
    assert canonical(Passage()) == b"{}"


@pytest.mark.parametrize(
    ("edition", "date"), [("", "2026-11-28"), (" x", "2026-11-28"), ("1", "28.11.2026"), ("1", "")]
)
def test_a_package_says_its_edition_and_its_date(edition: str, date: str) -> None:
    with pytest.raises(PackageError):
        KEY.sign(edition, date, PASSAGES)


@pytest.mark.parametrize(
    "second",
    ['{"nonsense": 1}', "[]", "not json", '{"manifest": {"publisher": "late"}}', '{"text": 5}', '{"codes": [3]}'],
)
def test_a_line_that_is_no_passage_is_named_by_its_number(second: str) -> None:
    with pytest.raises(PackageError, match="line 2"):
        read('{"passageId": "one"}\n' + second + "\n")


@pytest.mark.parametrize("manifest", ['{"manifest": 3}', '{"manifest": {"signature": 5}}', '{"manifest": {"who": 1}}'])
def test_a_first_line_that_is_no_manifest_is_named(manifest: str) -> None:
    with pytest.raises(PackageError, match="line 1"):
        read(manifest + "\n")


def test_keys_are_read_as_they_are_written() -> None:
    assert SigningKey.parse(KEY.export() + "\n") == KEY
    assert PublisherKey.parse(str(KEY.publisher)) == KEY.publisher


@pytest.mark.parametrize(
    "line",
    [
        "society.example",
        "society.example+00000000+AQ==",
        str(KEY.publisher).replace("society", "sociery"),
        str(KEY.publisher)[:-6] + "AAAAA=",
        KEY.export(),
    ],
)
def test_a_line_that_is_no_key_is_named_and_not_repeated(line: str) -> None:
    with pytest.raises(PublisherKeyError, match="line 2") as caught:
        read_publishers(f"# trusted\n{line}\n")
    assert line not in str(caught.value)


def test_a_name_with_a_sign_that_parts_keys_makes_no_key() -> None:
    with pytest.raises(PublisherKeyError):
        SigningKey.generate("a+b")
