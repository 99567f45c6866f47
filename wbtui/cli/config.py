"""`wbtui config`: what can be configured, as a file to start from?"""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def config(
    preset: Annotated[str, typer.Option(help="Start from a data preset instead of the defaults.")] = "",
    variant: Annotated[str, typer.Option(help="... and a method.")] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One value; may be repeated.")
    ] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Start from a TOML of settings.")
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema instead.")] = False,
) -> None:
    """Print every setting with its meaning and default.

    As TOML; `wbtui run --config` takes it back.
    """
    from wbtui.config import RunConfig
    from wbtui.presets import resolve
    from wbtui.report.config_toml import commented_toml
    from wbtui.report.terminal import write_utf8
    from wbtui.report.values import json_text

    if schema:
        print(json_text(RunConfig.model_json_schema()))
        return
    resolved = resolve(preset, variant, config_file, settings or ())
    write_utf8()
    print(commented_toml(resolved.config, resolved.origins), end="")
