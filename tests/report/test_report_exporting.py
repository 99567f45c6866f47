"""Is an exported table tidy?"""

import csv
import io
from pathlib import Path

from finished_runs import make_run

from wbtui.report.exporting import write_scalars
from wbtui.store.reader import open_run


def test_export_is_tidy_with_one_row_a_value(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path))
    out = io.StringIO()
    count = write_scalars([run], out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert len(rows) == count == sum(len(epoch.scalars) for epoch in run.epochs)
    last = [row for row in rows if row["metric"] == "test.accuracy.all"][-1]
    assert (last["epoch"], last["stage"], last["variant"], last["seed"]) == ("20", "1", "wd", "0")
    assert float(last["value"]) == run.epochs[-1].scalars["test.accuracy.all"]
    out = io.StringIO()
    write_scalars([run], out, final=True)
    final = {row["metric"]: row["value"] for row in csv.DictReader(io.StringIO(out.getvalue()))}
    assert float(final["train.fdr"]) == 300.0
