"""``tinyqq config``: what the settings are, and what they could be."""

from __future__ import annotations

import typer

from tinyqq.app.reference import render_reference
from tinyqq.app.sources import shown_values
from tinyqq.cli import options

app = typer.Typer(help="Show the settings.", no_args_is_help=True, add_completion=False)


@app.command()
def show(config: options.Config = None, set_: options.Set = None) -> None:
    """Print every setting, its value, and where the value comes from. Secrets are masked."""
    loaded = options.load(config, {}, set_)
    values = shown_values(loaded.settings)
    name_width = max(map(len, values))
    value_width = min(max(map(len, values.values())), 40)
    for path, value in values.items():
        typer.echo(f"{path:{name_width}}  {value:{value_width}}  {loaded.origins[path]}")


@app.command()
def reference() -> None:
    """Print the reference page of all settings, in Markdown."""
    typer.echo(render_reference(), nl=False)
