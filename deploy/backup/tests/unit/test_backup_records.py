import io

import pytest
from backup.errors import BackupError
from backup.records import Record, decode, encode
from hypothesis import given
from hypothesis import strategies as st

records = st.builds(
    Record,
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.binary(max_size=40),
    st.none() | st.binary(max_size=200),
    st.lists(st.tuples(st.text(max_size=10), st.binary(max_size=20)), max_size=4),
)


@given(st.lists(records, max_size=5))
def test_records_come_back_as_they_were(written: list[Record]) -> None:
    assert list(decode(io.BytesIO(b"".join(map(encode, written))))) == written


@given(records, st.data())
def test_a_record_that_is_cut_off_is_told(record: Record, data: st.DataObject) -> None:
    whole = encode(record)
    end = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(BackupError, match="cut off"):
        list(decode(io.BytesIO(whole[:end])))
