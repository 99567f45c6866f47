"""`wbtui adjust`: what does logit adjustment make of finished runs?"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from wbtui.cli.options import Filter, Runs, check_plot_size
from wbtui.store.runs_folder import RUNS_DEFAULT

app = typer.Typer()


@app.command()
def adjust(
    context: typer.Context,
    run: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN...]", help="Finished runs; seeds of one setting fold."),
    ] = None,
    filter_text: Filter = "",
    method: Annotated[
        list[str] | None,
        typer.Option(
            help="additive (the default), multiplicative, tau_norm, one_vs_one ..., or several: additive,tau_norm."
        ),
    ] = None,
    choose: Annotated[
        Literal["val", "test", "published"] | None,
        typer.Option(
            help="val, the default: on validation; published: the papers' value; test: an oracle, not a result."
        ),
    ] = None,
    criterion: Annotated[
        Literal["all", "harmonic", "few"],
        typer.Option(help="What is maximised: All, the harmonic mean, Few."),
    ] = "all",
    floor: Annotated[
        float,
        typer.Option(help="With --criterion few: lowest accuracy of Many that is put up with, percent."),
    ] = 0.0,
    strength: Annotated[float | None, typer.Option(help="A strength by hand; nothing is chosen.")] = None,
    sweep: Annotated[
        str, typer.Option(metavar="FROM:TO:STEP", help="Show these strengths; the search ends at TO.")
    ] = "",
    prior: Annotated[
        str,
        typer.Option(
            metavar="training|validation|N,N,...",
            help="Class frequencies: the training counts, estimated from validation, or given.",
        ),
    ] = "training",
    save: Annotated[bool, typer.Option("--save", help="Keep the result under its run, in derived/.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw accuracy over the strength.")] = False,
    width: Annotated[int, typer.Option(help="Columns of a plot; 0: those of the terminal.")] = 0,
    height: Annotated[int, typer.Option(help="Lines of a plot.")] = 14,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all of it; accuracies are fractions.")
    ] = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Re-score finished runs with logit adjustments.

    The strength is chosen on validation, test is reported once.

    The best strength on test is shown as "oracle": an upper bound that is no result. A run without validation
    images gets the published strength.
    """
    from wbtui.adjustment import CRITERIA, DEFAULT_METHOD, FewAboveFloor
    from wbtui.errors import UsageError
    from wbtui.report import adjust_tables, adjusting, terminal
    from wbtui.report.chosen import pointed_at
    from wbtui.report.derived import save_derived
    from wbtui.report.values import json_text
    from wbtui.store.ids import run_ids, short_ids
    from wbtui.store.text import plain

    _check_options(context.params)
    check_plot_size(context)
    strengths = adjusting.parse_sweep(sweep) if sweep else None
    found, left_out = pointed_at(runs, run or [], filter_text)
    for sentence in left_out:
        terminal.say(sentence)
    materials = [adjusting.load_material(one) for one in found]
    goal = FewAboveFloor(floor / 100) if criterion == "few" else CRITERIA[criterion]
    requests = [
        adjusting.Request(one, goal, choose or "val", strength, strengths, prior)
        for one in adjusting.methods_named(method or [DEFAULT_METHOD])
    ]
    results, refused = adjusting.adjust_all(materials, requests)
    # Before anything is printed: whoever reads the output may leave early.
    kept = [save_derived(one.material.run, one.derived()) for one in results] if save else []
    short = short_ids([*run_ids(runs), *(one.id for one in found)])
    names = {one.id: plain(short[one.id]) for one in found}
    if as_json:
        print(json_text([adjust_tables.adjusted_json(one, strengths) for one in results]))
    else:
        terminal.show(*adjust_tables.result_tables(results, found, strengths, names))
        for one in results if plot else ():
            look = terminal.look(width, height)
            terminal.print_picture(adjust_tables.curve_plot(one, look, names[one.material.run.id]))
    for path in kept:
        terminal.say(f"saved {plain(str(path))}")
    if refused:
        raise UsageError("\n".join(refused))


def _check_options(given: Mapping[str, Any]) -> None:
    """Refuse options that contradict each other, and a strength that none is.

    Raises:
        UsageError: they do.
    """
    from wbtui.errors import UsageError

    strength, choose = given["strength"], given["choose"]
    if strength is not None and not 0 <= strength <= 100:
        raise UsageError(f"--strength {strength:g}: expected a number from 0 to 100")
    if given["floor"] and given["criterion"] != "few":
        raise UsageError("--floor belongs to --criterion few")
    if strength is not None and choose is not None:
        raise UsageError(
            f"--strength {strength:g} is given by hand, so that --choose {choose} has nothing to choose; expected one "
            "of them"
        )
    if given["plot"] and given["as_json"]:
        raise UsageError("--plot draws and --json prints for programs; expected one of them")
