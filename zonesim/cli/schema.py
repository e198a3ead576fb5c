"""The command `schema`: the format for editors."""

from __future__ import annotations

from zonesim.cli.app import app, print_json


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that check while one types."""
    from zonesim.scenario.schema import json_schema  # noqa: PLC0415

    print_json(json_schema())
