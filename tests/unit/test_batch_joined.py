import tracemalloc

import msgspec

from edge.batch.joined import Joined
from edge.batch.shares import Piece, Seam
from edge.events import FaceEvent, SceneEvent
from edge.types import Box

LEFT, MIDDLE, RIGHT = (Box(x, 0.3, 0.2, 0.3) for x in (0.05, 0.4, 0.75))


def near(box: Box) -> Box:
    """The same face, as a pipeline has it that has seen other frames before."""
    return Box(box.x + 0.02, box.y - 0.01, box.w * 1.05, box.h)


def record(seq: int, *faces: int) -> SceneEvent:
    """A frame with these faces."""
    seen = tuple(
        FaceEvent(number, (0.1, 0.2, 0.3, 0.4), "happy", 0.5, {"happy": 0.5}, 0.1, 0.2, 0.9, 0, 0.0, 0)
        for number in faces
    )
    return SceneEvent(seq, None, seq / 10, "file:film 10×10", 10, 10, seen, True, "first", {})


def piece(
    *records: SceneEvent,
    frames: int = 10,
    before: tuple[float, dict[int, Box]] | None = None,
    after: tuple[float, dict[int, Box]] | None = None,
    exact: bool = True,
) -> Piece:
    """Seams: time in seconds, box of each face."""
    seams = [seam and Seam(round(seam[0] * 1e9), tuple(seam[1].items())) for seam in (before, after)]
    return Piece(
        frames=frames,
        records=b"".join(msgspec.json.encode(event) + b"\n" for event in records),
        faces=tuple(sorted({face.id for event in records for face in event.faces})),
        labels={"happy": sum(len(event.faces) for event in records)},
        seconds=0.5,
        before=seams[0],
        after=seams[1],
        exact=exact,
    )


def joined(*pieces: Piece) -> tuple[Joined, list[tuple[int, list[int]]]]:
    """Them together, and of each record its frame and its faces."""
    together, found = Joined(), []
    for one in pieces:
        assert together.fits(one)
        events: list[SceneEvent] = []
        together.add(one, events.append)
        found += [(event.seq, [face.id for face in event.faces]) for event in events]
    return together, found


def test_the_first_piece_stays_as_it_is():
    events = [record(1), record(4, 2), record(7, 2, 5)]
    together = Joined()
    taken: list[SceneEvent] = []
    together.add(piece(*events), taken.append)
    assert taken == events
    assert (together.frames, together.faces) == (10, 2)


def test_the_records_of_a_long_piece_are_not_there_a_second_time():
    one = piece(*(record(seq, 1) for seq in range(1, 5001)))
    counted: list[int] = []
    tracemalloc.start()
    try:
        Joined().add(one, lambda event: counted.append(event.seq))
        _, most_b = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(counted) == 5000
    assert most_b < len(one.records) / 2


def test_frames_are_counted_through_also_those_without_a_record():
    _, found = joined(
        piece(record(2, 1), frames=10, after=(0.9, {})),
        piece(record(1, 1), record(5, 1), frames=7, before=(0.9, {}), after=(1.6, {})),
        piece(record(3, 1), frames=4, before=(1.6, {}), after=(2.0, {})),
    )
    assert [seq for seq, _ in found] == [2, 11, 15, 20]


def test_who_is_on_the_frame_where_pieces_meet_keeps_the_number_and_others_get_new_ones():
    together, found = joined(
        piece(record(9, 1, 3), after=(0.9, {1: LEFT, 3: RIGHT})),
        # the second pipeline saw somebody in its run-in who is gone: number 1
        piece(record(1, 2, 3, 4), before=(0.9, {2: near(RIGHT), 3: near(LEFT)}), after=(1.9, {4: MIDDLE})),
        piece(record(1, 1, 2), before=(1.9, {2: near(MIDDLE)}), after=(2.9, {})),
    )
    assert found == [(9, [1, 3]), (11, [1, 3, 4]), (21, [4, 5])]
    assert together.faces == 4


def test_no_number_is_given_twice_on_a_frame():
    # both were where one is: the nearer goes on
    _, found = joined(
        piece(record(1, 1), after=(0.9, {1: MIDDLE})),
        piece(record(1, 1, 2), before=(0.9, {1: near(MIDDLE), 2: MIDDLE})),
    )
    assert found[1] == (11, [1, 2])
    # and the other way round: two that were followed, one of them in the next piece
    _, found = joined(
        piece(record(1, 1, 2), after=(0.9, {1: near(MIDDLE), 2: MIDDLE})),
        piece(record(1, 1, 2), before=(0.9, {1: MIDDLE})),
    )
    assert found[1] == (11, [2, 3])


def test_without_anybody_at_the_seam_everybody_is_new():
    together, found = joined(
        piece(record(1, 1), after=(0.9, {1: LEFT})),
        piece(record(1, 1), before=(0.9, {1: RIGHT}), after=(1.9, {})),
        piece(record(1, 1, 2), before=(1.9, {})),
    )
    assert [faces for _, faces in found] == [[1], [2], [3, 4]]
    assert together.faces == 4


def test_labels_and_seconds_add_up():
    together, _ = joined(piece(record(1, 1, 2), after=(0.9, {})), piece(record(1, 1), before=(0.9, {})))
    assert (dict(together.labels), together.seconds) == ({"happy": 3}, 1.0)


def test_pieces_that_do_not_meet_do_not_fit():
    together = Joined()
    together.add(piece(record(1, 1), after=(0.96, {})), lambda _: None)
    assert together.fits(piece(before=(0.96, {})))
    assert not together.fits(piece(before=(1.0, {})))  # a frame is missing
    assert not together.fits(piece(before=(0.92, {})))  # a frame would come twice
    assert not together.fits(piece())
    assert not together.fits(piece(before=(0.96, {}), exact=False))
    assert not Joined().fits(piece(exact=False))


def test_pieces_behind_the_end_of_the_film_are_empty_and_fit():
    together, found = joined(
        piece(record(1, 1), after=(0.96, {1: LEFT})),
        piece(frames=0, before=(0.96, {})),
        piece(frames=0, before=(0.96, {})),
    )
    assert (together.frames, found) == (10, [(1, [1])])
