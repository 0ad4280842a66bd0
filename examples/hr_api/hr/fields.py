"""The kinds of values that requests are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps every other character."""
RowId = Annotated[int, Field(gt=0, lt=2**63)]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]
