"""`wbtui import`: how do somebody else's predictions become a run?"""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from wbtui.cli.options import Runs
from wbtui.store.runs_folder import RUNS_DEFAULT

app = typer.Typer()


@app.command("import")
def import_predictions(
    logits: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Logits (N, C): .npz, which may hold all the rest as well, or .npy."
        ),
    ],
    labels: Annotated[Path | None, typer.Option(metavar="FILE", help="Labels (N,).")] = None,
    counts: Annotated[
        str, typer.Option(metavar="FILE|N,N,...", help="Training images of each class: a file or numbers.")
    ] = "",
    val_logits: Annotated[Path | None, typer.Option(metavar="FILE", help="The same of validation.")] = None,
    val_labels: Annotated[Path | None, typer.Option(metavar="FILE", help="The same of validation.")] = None,
    class_names: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Names of the classes: text, a name a line.")
    ] = None,
    variant: Annotated[str, typer.Option(help="Name of the method.")] = "external",
    seed: Annotated[int, typer.Option(min=0, help="Seed; seeds of one method fold.")] = 0,
    name: Annotated[str, typer.Option(help="A name of your own.")] = "",
    groups: Annotated[
        str, typer.Option(metavar="A,B", help="Many: more than A training images, Few: fewer than B.")
    ] = "100,20",
    tta: Annotated[
        Literal["none", "flip"], typer.Option(help="Whether logits are averaged over flips.")
    ] = "none",
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")] = None,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Make a finished run of stored predictions.

    It is adjusted and compared like one trained here.

    Files are .npz archives or single .npy arrays. In an archive arrays are looked for by name: test_logits or
    logits, test_labels or labels, train_counts or counts, validation_logits or val_logits, validation_labels or
    val_labels; class_names, classifier_norms, classifier_bias and class_mean_feature_norms are taken where they are
    there (tau_norm and one_vs_one need the last three). Pickled arrays are refused.
    """
    from wbtui.errors import UsageError
    from wbtui.report.imported import Sources, passed_over, read_predictions, without_images
    from wbtui.report.importing import Labels, make_imported_run
    from wbtui.report.terminal import say
    from wbtui.store.text import plain

    try:
        many_above, few_below = (int(word) for word in groups.split(","))
    except ValueError:
        raise UsageError(f"--groups {plain(groups)}: expected two whole numbers, e.g. 100,20") from None
    imported = read_predictions(Sources(logits, labels, counts, val_logits, val_labels, class_names))
    for remark in (*without_images(imported), passed_over(imported)):
        if remark:
            say(remark)
    about = Labels(variant, seed, name, tags or (), many_above, few_below, tta)
    print(make_imported_run(runs, imported, about, sys.argv).name)
