"""The filter language: what each word means, and what is refused."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbtui.errors import UsageError
from wbtui.report.fields import FIELDS
from wbtui.report.filters import parse_filter
from wbtui.report.listing import ordered
from wbtui.store.ids import short_ids
from wbtui.store.summary import KEY_FIGURES, RunSummary

ROW = RunSummary(
    id="20261123-114500-cifar10_lt-wd_fr-s3-7f3a91c2",
    path="runs/x",
    state="running",
    preset="cifar10_lt",
    variant="wd_fr",
    seed=3,
    name="my Name",
    model="resnet32",
    weight_decay=5e-3,
    imbalance_factor=100.0,
    tags=("base", "paper-1"),
    note="two words here",
    star=True,
    epoch=12,
    total_epochs=20,
    last={"test.accuracy.all": 0.4312, "test.accuracy.many": 0.9, "test.fdr": 61.3},
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "preset:cifar10_lt wd>=1e-3 tag:base -state:failed",
        "PRESET:CIFAR10_LT",
        "wd",
        "my",
        "paper",
        "/wd_(fr|etf)/",
        "/two words/",
        "variant:wd*",
        "variant:ce,wd_fr",
        "-variant:wd",
        "state=running",
        "state!=failed,crashed",
        "seed:3",
        "seed:1,2,3",
        "wd:0.005",
        "wd:5e-3",
        "weight_decay<0.01",
        "all:43.1",
        "all>43",
        "head>89",
        "head:90 -tail>1",
        "all<43.2",
        "all>=43.12%",
        "fdr>61",
        "if=100",
        "star:yes",
        "-star:no",
        'note:"two words"',
        '"my Name"',
        "id:7f3a*",
        "id:7f3a91c2",
        "-few:20",
        "-few>1",  # no tail accuracy: no comparison holds, its opposite does
        "epoch<20 epochs:20",
    ],
)
def test_words_that_mean_this_run(text: str) -> None:
    assert parse_filter(text).matches(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "preset:cifar100_lt",
        "preset:cifar10",
        "variant:wd",
        "-tag:base",
        "tag:bas",
        "seed:4",
        "seed!=3",
        "wd>5e-3",
        "all>43.2",
        "all<0.44",  # percent, not a fraction
        "few<100",
        "few>0",
        "few!=20",
        "star:no",
        "/^wd$/ nothing",
        "state:failed,crashed",
        "base absent",
        'note:"words two"',
    ],
)
def test_words_that_do_not_mean_it(text: str) -> None:
    assert not parse_filter(text).matches(ROW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("presett:x", "did you mean 'preset'"),
        ("taill>3", "did you mean 'tail'"),
        ("group:x", "many (head), medium (med), few (tail)"),
        ("wd>=many", "'many' is no number"),
        ("variant>3", "no number"),
        ("seed:", "expected a value"),
        ("seed:,", "expected a value"),
        ("/[/", "no regular expression"),
        ("/abc", "no closing /"),
        ('note:"abc', 'no closing "'),
        ("-", "a - alone"),
        ("//", "between slashes"),
        ("star:perhaps", "yes or no"),
        ("wd:nan", "no number"),
        ("x" * 2000, "at most 1000"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(UsageError, match="filter") as refused:
        parse_filter(text)
    assert said in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_filter(text).matches(ROW) in (True, False)


@given(st.lists(st.sampled_from(["wd", "-wd", "seed:3", "seed>5", "-few>1", "/x/"]), max_size=5))
def test_more_words_never_let_more_through(words: list[str]) -> None:
    together = parse_filter(" ".join(words)).matches(ROW)
    assert together == all(parse_filter(word).matches(ROW) for word in words)


@pytest.mark.parametrize("key", list(FIELDS))
def test_every_field_orders_rows_and_puts_those_without_a_value_last(key: str) -> None:
    there = replace(ROW, derived=1, size=5, started=9.0, device="cpu")
    there = replace(there, last=dict.fromkeys(KEY_FIGURES, 0.5))
    empty = RunSummary(id="", path="")
    for sort in (key, f"-{key}"):
        rows = ordered([empty, there], sort)
        assert rows[0] is there or key in ALWAYS_THERE
        assert {id(row) for row in rows} == {id(there), id(empty)}


ALWAYS_THERE = {"state", "star", "epoch", "epochs", "derived", "size", "time"}
"""Fields that every row has a value of."""


def test_descending_begins_with_the_largest_and_keeps_missing_values_last() -> None:
    rows = [replace(ROW, id=str(n), last={"test.fdr": value}) for n, value in enumerate((1.0, 3.0, 2.0))]
    rows.append(replace(ROW, id="none", last={}))
    rows.append(replace(ROW, id="nan", last={"test.fdr": float("nan")}))
    assert [row.id for row in ordered(rows, "-fdr")] == ["1", "2", "0", "none", "nan"]
    assert [row.id for row in ordered(rows, "fdr")] == ["0", "2", "1", "none", "nan"]
    with pytest.raises(UsageError, match="did you mean 'seed'"):
        ordered(rows, "sed")


@given(st.sets(st.text("0123abc", min_size=8, max_size=8), min_size=1, max_size=30))
def test_short_ids_mean_one_run_alone_and_are_no_longer_than_that_takes(tails: set[str]) -> None:
    ids = [f"20261123-114500-p-v-s0-{tail}" for tail in tails]
    short = short_ids(ids)
    for run in ids:
        assert sum(other.rsplit("-", 1)[-1].startswith(short[run]) for other in ids) == 1
        shorter = short[run][:-1]
        assert len(shorter) < 4 or sum(other.rsplit("-", 1)[-1].startswith(shorter) for other in ids) > 1


def test_a_state_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no state is called 'finnished' .did you mean 'finished'"):
        parse_filter("-state:finnished")
    assert parse_filter("state:run*,FAILED").terms
