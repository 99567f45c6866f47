"""Does what is kept up with say the same as walking through all epochs?"""

import math

from hypothesis import given
from hypothesis import strategies as st

from wbtui.store.format import Event
from wbtui.store.history import History
from wbtui.store.tally import BEST_BY, LOSSES, TREND_OF

VALUES = st.integers(0, 200).map(lambda hits: hits / 200) | st.sampled_from([math.nan, math.inf])
SCALARS = st.dictionaries(st.sampled_from([BEST_BY, TREND_OF, *LOSSES, "test.fdr"]), VALUES, max_size=4)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 1), SCALARS, st.booleans()), max_size=12))
def test_after_any_epochs_and_resumes_it_is_that_of_the_epochs_that_stand(
    steps: list[tuple[int, int, dict[str, float], bool]],
) -> None:
    history = History()
    for seq, (number, stage, scalars, resumed) in enumerate(steps):
        if resumed:
            history.add(Event(seq, 1.0, "resume", {"attempt": seq + 1, "from_epoch": number - 1}))
        written = {
            name: None if math.isnan(value) else "inf" if math.isinf(value) else value
            for name, value in scalars.items()
        }
        history.add(Event(seq, 1.0, "epoch", {"epoch": number, "stage": stage, "scalars": written}))
    epochs = list(history.epochs.values())
    tally = history.tally

    last = {name: value for epoch in epochs for name, value in epoch.scalars.items()}
    assert repr(sorted(tally.last.items())) == repr(sorted(last.items()))
    before = [e.number for e in epochs if e.stage != epochs[-1].stage]
    finite = [
        (e.scalars[BEST_BY], -e.number)
        for e in epochs
        if math.isfinite(e.scalars.get(BEST_BY, math.nan)) and e.number > max(before, default=0)
    ]
    assert tally.best_epoch == (-max(finite)[1] if finite else None)
    bad = [e.number for e in epochs if any(not math.isfinite(e.scalars.get(name, 0.0)) for name in LOSSES)]
    assert tally.non_finite_epoch == (bad[0] if bad else None)
    assert tally.trend == [
        e.scalars[TREND_OF] for e in epochs if math.isfinite(e.scalars.get(TREND_OF, math.nan))
    ]
