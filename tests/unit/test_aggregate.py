"""Sums over a period that tell of nobody in particular."""

import msgspec
import pytest

from edge.aggregate import Aggregation, Aggregator
from edge.events import AggregateEvent
from edge.types import Box, Decision, Scene, Track
from tests.fakes import frame

S = 1_000_000_000


def scene(at_s: float, *labels: str | None, age: int = 2) -> Scene:
    tracks = tuple(
        Track(number, Box(0, 0, 1, 1), 0.9, None, age, 0, 1, 0, label=label) for number, label in enumerate(labels, 1)
    )
    return Scene(frame(1, t_ns=round(at_s * S)), tracks, (), Decision(False, "roi"), {})


def aggregator(period_s: float = 10.0, moment: str | None = "2026-01-01T00:00:00Z") -> Aggregator:
    return Aggregator(period_s, lambda: "cam", lambda t_ns: moment and f"{moment}+{t_ns / S:g}")


def told(maker: Aggregator, scenes: list[Scene]) -> list[AggregateEvent]:
    return [event for one in scenes if (event := maker.add(one)) is not None]


def test_a_period_is_told_when_a_scene_comes_that_belongs_to_the_next():
    scenes = [scene(second, *(["happy", "sad"] if second < 5 else [])) for second in range(10)]
    maker = aggregator()
    assert told(maker, scenes) == []
    event = maker.add(scene(10.0, "happy"))
    assert event == AggregateEvent(
        time="2026-01-01T00:00:00Z+0",
        until="2026-01-01T00:00:00Z+9",
        media_s=None,
        duration_s=9.0,
        source="cam",
        scenes=10,
        scenes_with_faces=5,
        mean_faces=1.0,
        most_faces=2,
        label_seconds={"happy": 4.0, "sad": 4.0},
    )


def test_periods_follow_each_other_and_each_scene_counts_once():
    events = told(aggregator(), [scene(tenth / 10, "happy") for tenth in range(1000)])
    assert [event.scenes for event in events] == [100] * 9
    assert sum(event.label_seconds["happy"] for event in events) == pytest.approx(90, abs=0.2)


def test_a_period_that_is_not_over_is_never_told():
    maker, events = aggregator(60.0), []
    for _ in range(20):  # the program is started again and again
        maker = aggregator(60.0)
        events += told(maker, [scene(tenth / 10, "happy") for tenth in range(590)])
    assert events == []


def test_a_glance_of_one_person_is_told_by_no_label():
    scenes = [scene(tenth / 10, *(["happy"] if 20 <= tenth < 60 else [])) for tenth in range(101)]
    (event,) = told(aggregator(), scenes)
    assert (event.most_faces, event.scenes_with_faces) == (1, 40)
    assert event.label_seconds == {}


def test_an_outage_belongs_to_no_expression_and_ends_the_period_before_it():
    maker = aggregator()
    assert told(maker, [scene(second, "happy") for second in range(8)]) == []
    event = maker.add(scene(3600.0, "happy", age=1))
    assert event is not None
    assert event.duration_s == 7.0
    after = told(maker, [scene(3600.0 + second, "happy") for second in range(1, 11)])
    assert after[0].label_seconds == {"happy": 9.0}


def test_a_film_has_a_position_instead_of_a_time():
    (event,) = told(aggregator(moment=None), [scene(5.0 + second, "happy") for second in range(11)])
    assert (event.time, event.until, event.media_s) == (None, None, 5.0)


def test_no_record_names_a_face():
    (event,) = told(aggregator(), [scene(second, "happy", "sad") for second in range(11)])
    text = msgspec.json.encode(event).decode()
    for word in ("box", "scores", "confidence", '"id"', 'faces":['):
        assert word not in text


def test_nothing_is_summed_up_while_single_scenes_may_be_told():
    wanted, events = False, list[AggregateEvent]()
    sink = Aggregation(aggregator(), lambda: wanted, (events.append,))
    for second in range(30):
        sink.emit(scene(second, "happy"))
    assert events == []
    wanted = True
    for second in range(30, 51):
        sink.emit(scene(second, "happy"))
    sink.close()
    assert [event.scenes for event in events] == [10, 10]
    assert events[0].time == "2026-01-01T00:00:00Z+30", "nothing of before is in it"
    assert sink.label_seconds == {"happy": pytest.approx(19.0)}


def test_what_lies_between_two_times_of_aggregates_only_belongs_to_neither():
    wanted = [True]
    events: list[AggregateEvent] = []
    aggregation = Aggregation(aggregator(), lambda: wanted[0], [events.append])
    for at_s, only_aggregates in ((0, True), (5, False), (3600, True), (3605, True), (3610, True)):
        wanted[0] = only_aggregates
        aggregation.emit(scene(at_s, "happy"))
    (event,) = events
    assert event.time == "2026-01-01T00:00:00Z+3600"
    assert event.label_seconds == {"happy": 5.0}
