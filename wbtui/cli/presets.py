"""`wbtui presets` and `wbtui new-preset`: what can be run by name, and how do images of one's own get one?"""

import re
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def presets(
    nets: Annotated[bool, typer.Option("--nets", help="List the nets with their feature sizes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all values.")] = False,
) -> None:
    """List data presets and variants.

    Says which file each comes from: ./presets, the user's folder, shipped.
    """
    from wbtui.report import presets_listing, terminal
    from wbtui.report.values import json_text

    if as_json:
        print(json_text(presets_listing.nets_json() if nets else presets_listing.presets_json()))
    elif nets:
        terminal.show(presets_listing.nets_table())
    else:
        terminal.show(*presets_listing.preset_tables())


@app.command("new-preset")
def new_preset(
    images: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGES",
            help="FILE.npz with x_train, y_train, x_test, y_test, or a folder with train/CLASS/ and test/CLASS/.",
        ),
    ],
    name: Annotated[str, typer.Option(help="What it is called. [the name of the file or folder]")] = "",
) -> None:
    """Write a preset for images of your own.

    Counts them, chooses profile, groups, net and schedule, and writes a file to ./presets.

    The file is yours to change; nothing is ever written over.
    """
    from wbtui.own_preset import own_images, own_preset, write_preset
    from wbtui.report import terminal
    from wbtui.report.presets_listing import shown_path
    from wbtui.report.table import pairs

    found = own_images(images)
    chosen = own_preset(found)
    called = name or re.sub(r"[^A-Za-z0-9_-]+", "_", found.path.stem).strip("_-")
    path = write_preset(called, chosen.text)
    counts = chosen.plan.train_counts
    colour = "grey" if found.channels == 1 else f"{found.channels} channels"
    terminal.show(
        pairs(
            [
                ("images", f"{found.size}x{found.size}, {colour}, {len(counts)} classes"),
                (
                    "train",
                    f"{sum(counts):,}: {max(counts):,} of the largest class, {min(counts):,} of the smallest",
                ),
                ("split", chosen.plan.description),
                ("groups", f"{chosen.groups} (many_above {chosen.many_above}, few_below {chosen.few_below})"),
                *([("note", chosen.doubt)] if chosen.doubt else []),
            ]
        )
    )
    print(f"saved {shown_path(path)}: read it, then")
    print(f"  wbtui run --preset {called} --variant {','.join(chosen.variants)} --seed 0,1,2")
