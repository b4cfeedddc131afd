"""Raw line ends inside a segment: HL7 wants them escaped (v2.5.1 section 2.7.5), and many senders do not.

The lines of a text stay in it with the separators that stand in them; the status of an observation (OBX-11) tells where
the fields behind its text begin. What belongs nowhere is passed over and remarked.
"""

from longitude.ingestion.v1.events_pb2 import Remark

from ingestion.domain.protocol import table

# Where the text of a segment stands, as a number of separators.
_TEXTS = {"OBX": 5, "NTE": 3}
_TEXT_TYPES = frozenset({"TX", "FT", "ST", ""})
_STATUS = 11 - 5


def join(lines: list[str], label: str, separator: str, escaped: str, remarks: list[Remark]) -> str:
    """One segment of its lines. `label`: `OBX[1]`; `escaped`: the separator as an escape sequence."""
    head, *rest = lines
    place = _TEXTS.get(head[:3])
    if place == head.count(separator):
        text, tail = _text_and_tail(rest, separator, head.startswith("OBX"))
        remarks.append(Remark(segment=label, reason="raw line ends were taken as those of its text"))
        return "\n".join([head, *(line.replace(separator, escaped) for line in text)]) + tail
    for line in rest:
        head = _with_line(head, line, separator, place, label, remarks)
    return head


def _text_and_tail(lines: list[str], separator: str, observation: bool) -> tuple[list[str], str]:  # noqa: FBT001
    """The lines of the text, and the fields after it with their separators."""
    for number in range(len(lines) - 1, -1, -1) if observation else ():
        parts = lines[number].split(separator)
        for size in range(1, len(parts) - _STATUS + 1):
            if parts[size - 1 + _STATUS] in table("observation_states"):
                own = separator.join(parts[:size])
                tail = separator + separator.join(parts[size:])
                return [*lines[:number], own, *lines[number + 1 :]], tail
    return [*lines[:-1], lines[-1].rstrip(separator)], ""


def _with_line(head: str, line: str, separator: str, place: int | None, label: str, remarks: list[Remark]) -> str:
    fields = head.split(separator)
    closed = place is not None and len(fields) > place + 1
    if _is_like_segment(line, separator, bare=place is None):
        remarks.append(Remark(segment=label, reason="a segment of no known name after it was passed over"))
        return head
    if not closed or separator in line:
        remarks.append(Remark(segment=label, reason="a line that begins no segment was taken as its continuation"))
        return f"{head}\n{line}"
    assert place is not None
    if fields[0] == "OBX" and fields[2] not in _TEXT_TYPES:
        remarks.append(Remark(segment=label, reason="a line after it that begins no segment was passed over"))
        return head
    remarks.append(Remark(segment=label, reason="a line after it that begins no segment was taken into its text"))
    fields[place] += f"\n{line}"
    return separator.join(fields)


def _is_like_segment(line: str, separator: str, *, bare: bool) -> bool:
    """Whether a line has the form of a segment; `bare`: a name alone is one too."""
    named = line[:3].isalnum() and line[:3].isupper()
    return named and (line[3:4] == separator or (bare and not line[3:].strip()))
