"""Typer's own types under one name, for annotations only: where they live differs between its versions."""

from typing import Any

Context = Any
Formatter = Any
Parameter = Any
