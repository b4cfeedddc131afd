"""No text of a feed acts on a terminal, by whatever way of printing, and none of it is lost."""

import io
import json
import re
import sys
import unicodedata
from pathlib import Path

import client.cli
import pytest
from client.cli import command, page
from client.terminal import Screen, Text, visible, visible_json
from hypothesis import given
from hypothesis import strategies as st

# Unicode Standard Annex 9, table 4: marks, embeddings, overrides and isolates.
BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ACTING = [
    chr(number)
    for number in range(sys.maxunicode + 1)
    if unicodedata.category(chr(number)) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and chr(number) not in "\n\t"
]
_NUMBER = re.compile(r"\\x(..)|\\u(....)|\\U(........)")


def printed(*content: object) -> str:
    out = io.StringIO()
    screen = Screen(file=out, force_terminal=True, color_system=None, width=300)
    for item in content:
        screen.print(item)
    return out.getvalue()


def read_back(text: str) -> str:
    return _NUMBER.sub(lambda match: chr(int(next(filter(None, match.groups())), 16)), text)


def test_the_marks_of_direction_and_every_control_are_among_them() -> None:
    assert set(BIDIRECTIONAL) < set(ACTING)
    assert {chr(number) for number in (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0))} < set(ACTING)


def test_each_acting_character_is_shown_by_its_number() -> None:
    for character in ACTING:
        shown = visible(f"a{character}b")
        assert shown.isprintable()
        assert read_back(shown) == f"a{character}b"


@given(st.text(st.characters(exclude_characters="\\")))
def test_what_is_shown_can_be_read_back_and_shown_again(text: str) -> None:
    shown = visible(text)
    assert not set(shown) & set(ACTING)
    assert read_back(shown) == text
    assert visible(shown) == shown


@given(st.text())
def test_a_json_document_says_the_same(text: str) -> None:
    document = visible_json(json.dumps({"name": text}, ensure_ascii=False))
    assert not set(document) & set(ACTING)
    assert json.loads(document) == json.loads(json.dumps({"name": text}))


@pytest.mark.parametrize("way", ["text", "styled", "assembled", "appended", "plain", "cell", "title"])
def test_no_way_of_printing_lets_one_through(way: str) -> None:
    for start in range(0, len(ACTING), 20):
        foreign = "a" + "".join(one for one in ACTING[start : start + 20] if one not in "\x07\x08\x0b\x0c\r") + "b"
        table = page.table(foreign if way == "title" else "", "what")
        page.row(table, foreign)
        content = {
            "text": Text(foreign), "styled": page.styled(foreign, "bold"),
            "assembled": Text.assemble((foreign, "bold")),
            "appended": Text().append(foreign), "plain": foreign, "cell": table, "title": table,
        }[way]  # fmt: skip
        out = printed(content)
        assert not set(out) & set(ACTING)
        assert visible(foreign) in "".join(line.strip() for line in out.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ["{}"],
        ["timeline", "{}"],
        ["timeline", "a@b", "--{}"],
        ["timeline", "a@b", "--valid-at", "{}"],
        ["ask", "a@b", "q", "{}"],
        ["send", "/{}"],
        ["review", "1", "--edit", "/{}"],
        ["context", "a@b", "--question", "q", "--budget", "{}"],
    ],
)
def test_what_is_wrong_with_a_command_line_is_told_without_doing_what_stands_in_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = "x" + "".join(ACTING[:40]).replace("\0", "") + BIDIRECTIONAL + "y"
    with pytest.raises(SystemExit) as ended:
        command.main([argument.format(foreign) for argument in arguments])
    told = capsys.readouterr()
    assert ended.value.code in {1, 2}
    assert told.err.startswith("longitude: ")
    assert not set(told.out + told.err) & set(ACTING)


def test_the_help_is_printed_whole_where_nothing_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main([])
    told = capsys.readouterr()
    assert "dead-letters" in told.out
    assert told.err == ""


# What prints: rich's console and typer's own ways pass nothing through `visible`.
_PRINTING = re.compile(
    r"rich\.text|rich import print|(?<![A-Za-z])Console\(|(?<![._a-z])print\(|\b(?:typer|click)\.(?:echo|secho|launch)"
)
# The two doors of `--json`, both through visible_json, and that of syslog messages, which are visible as they are made.
_WRITING = re.compile(r"sys\.std(?:out|err)\.(?:buffer\.)?write\((?!visible_json\(|atna\.frame\()|os\.write\(")


def test_every_module_of_the_client_and_the_demo_prints_by_this_way() -> None:
    package = Path(client.cli.__path__[0]).parent
    files = [*package.rglob("*.py"), *(package.parents[3] / "deploy/demo/src").rglob("*.py")]
    assert len(files) > 40
    for file in (file for file in files if file.name != "terminal.py"):
        source = file.read_text(encoding="utf-8")
        assert not _WRITING.search(source), file
        if file.is_relative_to(package):
            assert not _PRINTING.search(source), file
        else:
            # The demo's pages are rich's own; the one console that prints them is a Screen.
            assert not re.search(r"(?<![A-Za-z])Console\(|(?<![._a-z])print\(", source), file
