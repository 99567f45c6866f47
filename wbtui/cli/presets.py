"""`wbtui presets`: what can be run by name?"""

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def presets(
    nets: Annotated[bool, typer.Option("--nets", help="List the nets with their feature sizes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all values.")] = False,
) -> None:
    """List data presets and variants, and which file each comes from: ./presets, the user's folder, shipped."""
    from wbtui.report import presets_listing, terminal
    from wbtui.report.values import json_text

    if as_json:
        print(json_text(presets_listing.nets_json() if nets else presets_listing.presets_json()))
    elif nets:
        terminal.show(presets_listing.nets_table())
    else:
        terminal.show(*presets_listing.preset_tables())
