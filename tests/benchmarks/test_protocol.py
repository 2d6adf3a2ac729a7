"""What coordinator and worker say to each other."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.alone import cause_of
from benchmarks.cases import Case
from benchmarks.protocol import (
    Calibrate,
    Calibrated,
    Failed,
    Measure,
    Measured,
    Message,
    ProgramSaid,
    Ready,
    RunProgram,
    receive,
    send,
)

numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**63)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), numbers, st.text())
cases = st.builds(Case, st.text(), st.text(), counts, st.text())
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Ready, st.dictionaries(st.text(), scalars)),
    st.builds(Calibrate, cases, numbers),
    st.builds(Calibrated, counts, counts, numbers, counts),
    st.builds(Measure, cases, counts, counts, numbers),
    st.builds(
        Measured,
        st.dictionaries(st.text(), st.lists(numbers)),
        numbers,
        st.dictionaries(st.text(), numbers),
        st.lists(counts),
        st.lists(numbers),
        numbers,
        counts,
        st.booleans(),
    ),
    st.builds(RunProgram, st.text()),
    st.builds(ProgramSaid, st.text(), st.text()),
    st.builds(Failed, st.text()),
)


@given(st.lists(messages, max_size=5))
def test_messages_arrive_as_they_were_sent(sent: list[Message]) -> None:
    stream = io.StringIO()
    for message in sent:
        send(stream, message)
    stream.seek(0)
    assert [receive(stream) for _ in sent] == sent
    assert receive(stream) is None


@given(messages)
def test_a_message_is_one_line_of_ascii(message: Message) -> None:
    stream = io.StringIO()
    send(stream, message)
    line = stream.getvalue()
    assert line.isascii()
    assert line.index("\n") == len(line) - 1


@given(messages, st.data())
def test_a_truncated_line_means_that_the_other_side_is_gone(
    message: Message, data: st.DataObject
) -> None:
    stream = io.StringIO()
    send(stream, message)
    whole = stream.getvalue()
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert receive(io.StringIO(whole[:cut])) is None


@pytest.mark.parametrize(
    "line", ["not json", "[]", "{}", '{"type": "Nonsense"}', '{"type": "Failed", "reason": "x"}']
)
def test_what_is_not_a_message_is_an_error(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # json's own text, or ours
        receive(io.StringIO(line + "\n"))


def test_a_message_names_its_type() -> None:
    stream = io.StringIO()
    send(stream, Measure(Case("throughput", "noop", 5), 3, 20, 0.25))
    assert json.loads(stream.getvalue()) == {
        "type": "Measure",
        "case": {"probe": "throughput", "workload": "noop", "tasks": 5, "pause": "none"},
        "loops": 3,
        "blocks": 20,
        "phase": 0.25,
    }


class GroupError(Exception):
    """Like an ExceptionGroup, which Python 3.10 does not have."""

    def __init__(self, *exceptions: Exception) -> None:
        super().__init__("several")
        self.exceptions = exceptions


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (LookupError("broken"), "LookupError: broken"),
        (LookupError("in two\nlines"), "LookupError: in two lines"),
        (GroupError(GroupError(OSError("the first")), LookupError("b")), "OSError: the first"),
        (GroupError(), "GroupError: several"),
    ],
)
def test_a_failure_names_its_error_in_one_line(error: Exception, cause: str) -> None:
    assert cause_of(error) == cause
