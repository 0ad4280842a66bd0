"""What parent and child say to each other arrives whole, however the bytes are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from queuectl.worker.frames import Frame, FrameReader, Kind, pack

frames = st.lists(
    st.builds(
        Frame,
        st.sampled_from(Kind),
        st.integers(min_value=-(2**63), max_value=2**63 - 1),
        st.binary(max_size=50),
        st.binary(max_size=200),
    ),
    max_size=5,
)


@given(frames, st.integers(min_value=1, max_value=50))
def test_frames_survive_any_cutting(sent: list[Frame], size: int) -> None:
    """Cut into pieces of any size, the same frames come out in the same order."""
    data = b"".join(pack(*frame) for frame in sent)
    reader = FrameReader()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert [frame for piece in pieces for frame in reader.feed(piece)] == sent
