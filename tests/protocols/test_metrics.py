"""Figures as Prometheus reads them."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from scrapes import samples_of
from trio_chat.protocols.metrics import Buckets, Kind, Metric, render

METRICS = {
    "people": Metric(Kind.GAUGE, "People who are here."),
    "said_total": Metric(Kind.COUNTER, "What they have said.", "kind"),
    "took": Metric(Kind.HISTOGRAM, "How long it took."),
}


def test_a_figure_is_explained_and_has_a_line_for_each_value() -> None:
    values = {
        "took": Buckets((0.5, 1.0), (3, 0, 2), 4.25),
        "people": 3,
        "said_total": {"room": 7, "private": 0.5},
    }
    assert render(METRICS, values).decode().splitlines() == [
        "# HELP people People who are here.",
        "# TYPE people gauge",
        "people 3",
        "# HELP said_total What they have said.",
        "# TYPE said_total counter",
        'said_total{kind="room"} 7',
        'said_total{kind="private"} 0.5',
        "# HELP took How long it took.",
        "# TYPE took histogram",
        'took_bucket{le="0.5"} 3',
        'took_bucket{le="1.0"} 3',
        'took_bucket{le="+Inf"} 5',
        "took_sum 4.25",
        "took_count 5",
    ]


def test_what_has_no_value_is_left_out() -> None:
    assert b"said" not in render(METRICS, {"people": 1})


@given(st.floats(allow_nan=False), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_value_is_read_as_it_is(value: float, label: str) -> None:
    text = render(METRICS, {"people": value, "said_total": {label: value}}).decode()
    people, said = text_string_to_metric_families(text)
    assert [sample.value for sample in people.samples] == [value]
    assert [(one.labels, one.value) for one in said.samples] == [({"kind": label}, value)]


def test_samples_of_a_test_are_read_with_their_labels() -> None:
    text = render(METRICS, {"people": 1, "said_total": {"room": 2}}).decode()
    assert samples_of(text) == {"people": 1, 'said_total{kind="room"}': 2}
