"""The kinds of values that requests are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

RowId = Annotated[int, Field(gt=0, lt=2**63)]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
"""PostgreSQL keeps every character but one."""
