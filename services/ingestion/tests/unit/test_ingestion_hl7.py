"""The parser: dialects, escapes, positions, charsets, and bounds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingestion.domain import hl7
from ingestion.domain.charset import decode
from ingestion.domain.escapes import escape, unescape
from ingestion.domain.hl7 import Delimiters, parse
from ingestion.domain.refusal import RefusedError

HEADER = "MSH|^~\\&|APP^1.2^ISO|FAC|||20240101||ORU^R01^ORU_R01|7|P|2.5.1"


def test_fields_are_found_by_path_in_the_way_hl7_counts_them() -> None:
    message = parse(f"{HEADER}\rPID|1||12^^^NORTH&1.2.3&ISO^MR~34^^^SSA^SS\rOBX|1|NM|A||1\rOBX|2|NM|B||2\r")
    assert (message.get("MSH-1"), message.get("MSH-2"), message.get("MSH-9.2")) == ("|", "^~\\&", "R01")
    assert (message.get("PID-3"), message.get("PID-3.4.2"), message.get("PID-3.5")) == ("12", "1.2.3", "MR")
    assert [value.get() for value in message.segments[1].values(3)] == ["12", "34"]
    assert [segment.label for segment in message.all("OBX")] == ["OBX[1]", "OBX[2]"]
    assert message.segments[2].path(5, 1) == "OBX-5.1"
    assert message.get("ZZZ-9") == message.get("PID-99.9") == ""


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_kind_of_segment_end_is_read(end: str) -> None:
    message = parse(end.join([HEADER, "PID|1||12", "PV1|1|I", ""]))
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "PV1"]


def test_another_dialect_reads_the_same() -> None:
    message = parse("MSH$%?!@$A$B$$$20240101$$ADT%A01$7$P$2.5.1\rPID$1$$12%%%N@1@I%MR?34\rNTE$1$$a!F!b!S!c|^~")
    assert (message.get("MSH-9.2"), message.get("PID-3.4.2"), message.get("PID-3.5")) == ("A01", "1", "MR")
    assert message.segments[2].text(3) == "a$b%c|^~"


@pytest.mark.parametrize(
    ("characters", "usable"),
    [("^~\\&", True), ("^~\\&#", True), ("^~&", True), ("^~\\", True), ("^~", True), ("^", True),
     ("", False), ("^^\\&", False), ("^a\\&", False), ("^ \\&", False)],
)  # fmt: skip
def test_delimiters_that_cannot_serve_are_refused_at_their_field(characters: str, usable: object) -> None:
    text = f"MSH|{characters}|A|B|||20240101||ADT^A01|7|P|2.5\rPID|1||1"
    if usable:
        assert parse(text).get("MSH-9.2") == "A01"
    else:
        with pytest.raises(RefusedError) as refused:
            parse(text)
        assert str(refused.value.location) == "MSH^1^2"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a\\T\\b", "a&b"),
        ("\\F\\\\S\\\\R\\\\E\\", "|^~\\"),
        ("one\\.br\\two\\.sp2\\three", "one\ntwo\n\nthree"),
        ("\\H\\bold\\N\\", "bold"),
        ("M\\XC3BC\\ller", "Müller"),
        ("M\\XC3\\\\XBC\\ller", "Müller"),
        ("\\XE6\\\\X97A5\\", "日"),
        ("one\\X0D0A\\two\\X0A\\three", "one\ntwo\nthree"),
        ("M\\XFC\\ller", "M\\XFC\\ller"),
        ("\\X1B2842\\", ""),
        ("C:\\temp\\new", "C:\\temp\\new"),
        ("\\Zlocal\\", "\\Zlocal\\"),
        ("\\XZZ\\", "\\XZZ\\"),
        ("a\\X00\\b", "ab"),
        ("lone \\ backslash", "lone \\ backslash"),
    ],
)
def test_escape_sequences_mean_what_chapter_2_says(written: str, meant: str) -> None:
    assert unescape(written, Delimiters()) == meant


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")))
def test_what_is_escaped_is_read_back(text: str) -> None:
    written = escape(text, Delimiters())
    assert not set("|^~&\r\n") & set(written)
    assert unescape(written, Delimiters()) == text


def test_the_hl7_null_is_read_as_nothing() -> None:
    assert parse(f'{HEADER}\rPID|1||""^^^N').get("PID-3") == ""


def test_raw_line_ends_inside_a_text_stay_in_it() -> None:
    message = parse(f"{HEADER}\rOBX|1|TX|A||first line\nsecond line\n\rOBX|2|NM|B||1")
    assert message.segments[1].text(5) == "first line\nsecond line"
    assert len(message.segments) == 3
    assert message.remarks


def observed(lines: str) -> hl7.Segment:
    return parse(f"{HEADER}\r{lines}\rOBX|2|NM|B||1").segments[1]


@pytest.mark.parametrize(
    ("lines", "text", "status"),
    [
        ("OBX|1|TX|A||Lungs:\rNAD\rHeart enlarged,||||||F", "Lungs:\nNAD\nHeart enlarged,", "F"),
        ("OBX|1|TX|A||Found:\nCON\nnothing new||||||C", "Found:\nCON\nnothing new", "C"),
        ("OBX|1|TX|A||Table:\nMRI|Brain|normal\nCT|Chest||||||F", "Table:\nMRI|Brain|normal\nCT|Chest", "F"),
        ("OBX|1|TX|A||Table:\nMRI|Brain|normal", "Table:\nMRI|Brain|normal", ""),
        ("OBX|1|TX|A||one\ntwo||||||F\nafter it", "one\ntwo\nafter it", "F"),
        ("OBX|1|TX|A||one||||||F\nafter it", "one\nafter it", "F"),
        ("OBX|1|NM|A||1||||||F\nhaemolysed", "1", "F"),
        ("OBX|1|NM|A||1||||||F\nABC|of no name", "1", "F"),
        ("OBX|1|TX|A||ends\n||||||P", "ends", "P"),
        ("OBX|1|TX|A||one||||||F\nNAD", "one\nNAD", "F"),
    ],
)
def test_lines_that_begin_no_segment_belong_to_the_text_before(lines: str, text: str, status: str) -> None:
    segment = observed(lines)
    assert (segment.text(5).strip(), segment.get(11)) == (text, status)


@pytest.mark.parametrize(("lines", "diagnosis"), [("Hyper-\ntension", "Hyper-\ntension"), ("Gout\nXYZ", "Gout")])
def test_a_broken_field_goes_on_and_a_name_of_no_segment_is_passed_over(lines: str, diagnosis: str) -> None:
    message = parse(f"{HEADER}\rDG1|1||{lines}")
    assert message.get("DG1-3") == diagnosis
    assert message.remarks


def test_what_raw_line_ends_do_is_remarked_with_its_place() -> None:
    message = parse(f"{HEADER}\rOBX|1|TX|A||a\rOBX|2|TX|A||b\nNAD\nc||||||F\rNTE|1||x\ny|z\rZAB|1\rPV2")
    assert [segment.name for segment in message.segments] == ["MSH", "OBX", "OBX", "NTE", "ZAB", "PV2"]
    assert message.segments[3].text(3) == "x\ny|z"
    assert [remark.segment for remark in message.remarks] == ["OBX[2]", "NTE[1]"]


@pytest.mark.parametrize("text", ["", "PID|1", "MSH", "MSHX", "MSH|", "hello", "FHS|^~\\&\rMSH|^~\\&|"])
def test_what_is_not_hl7_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        parse(text)


def test_segments_and_fields_are_bounded() -> None:
    with pytest.raises(RefusedError):
        parse(HEADER + "\rNTE|1" * (hl7.MAX_SEGMENTS + 1))
    with pytest.raises(RefusedError):
        parse(HEADER + "\rNTE" + "|" * (hl7.MAX_FIELDS + 1))


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_after_a_header_is_parsed_or_refused(text: str) -> None:
    try:
        message = parse(HEADER + "\r" + text)
    except RefusedError:
        return
    for segment in message.segments:
        assert segment.get(3, 2, 1) is not None
        segment.text(5)


def header(charset: str) -> bytes:
    return f"MSH|^~\\&|A|B|C|D|20240101||ADT^A01|7|P|2.5|||||{'|' if charset else ''}{charset}\rPID|1||".encode()


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("UNICODE UTF-8", "utf-8"), ("UTF-8", "utf-8"), ("8859/1", "iso8859-1"), ("8859/15", "iso8859-15"),
     ("8859/2", "iso8859-2"), ("ISO-8859-1", "iso8859-1"), ("UTF-8~UNICODE", "utf-8"), ("ISO IR87", "iso2022_jp")],
)  # fmt: skip
def test_msh_18_says_how_the_bytes_are_read(charset: str, codec: str) -> None:
    name = "日" if codec == "iso2022_jp" else "é"
    decoded = decode(header(charset) + name.encode(codec))
    assert decoded.codec == codec
    assert decoded.text.endswith(name)


KANJI = "日本".encode("iso2022_jp").removesuffix(b"\x1b(B")


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("~ISO IR87", KANJI + b"\x1b(B^abc", "日本^abc"),
        ("ASCII~ISO IR87", KANJI + b"\rPV1|1|I", "日本\rPV1|1|I"),
        ("~ISO IR87~ISO IR159", KANJI + b"\x1b$(D0!\x1b(B", "日本丂"),
        ("ISO IR87", KANJI + b"\x1b(J", "日本"),
        ("ISO IR14~ISO IR87", b"\xd4\xcf\xc0\xde " + KANJI, "ﾔﾏﾀﾞ 日本"),
        ("~ISO IR13", b"\x1b(ITO@\x1b(B", "ﾔﾏﾀ"),
        ("8859/1~ISO IR144", b"\xe9\x1b-L\xb6\r\xe9", "éЖ\ré"),
        ("~KS X 1001", b"\x1b$)C" + "한".encode("euc_kr") + b"a", "한a"),
        ("~ISO IR87", b"\\M2442\\" + KANJI[3:] + b"\\C2842\\|x", "日本|x"),
        ("", KANJI + b"\x1b(Bx", "日本x"),
        ("UNICODE UTF-8", b"\x1b$B", "\x1b$B"),
        ("", b"\x1b[2J", "\x1b[2J"),
    ],
)
def test_repetitions_of_msh_18_are_sets_that_iso_2022_switches_to(charset: str, body: bytes, text: str) -> None:
    assert decode(header(charset) + body).text.removeprefix(header(charset).decode()) == text


def test_without_msh_18_bytes_are_utf_8_or_windows_1252_with_a_remark() -> None:
    assert decode(header("") + "é".encode()).codec == "utf-8"
    fallen_back = decode(header("") + "é€".encode("cp1252"))
    assert fallen_back.text.endswith("é€")
    assert fallen_back.remark


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_tolerated(mark: str) -> None:
    assert decode((header("").decode() + "é").encode(mark)).text.startswith("MSH|")


@pytest.mark.parametrize(
    ("payload", "verdict", "condition"),
    [
        (header("UNICODE UTF-8") + b"\xe9", "E", "102"),
        (header("ASCII") + b"\xe9", "E", "102"),
        (header("KLINGON"), "R", "103"),
    ],
)
def test_a_wrong_charset_is_refused_at_msh_18(payload: bytes, verdict: str, condition: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(payload)
    error = refused.value
    assert (error.verdict, error.condition, str(error.location)) == (verdict, condition, "MSH^1^18")
