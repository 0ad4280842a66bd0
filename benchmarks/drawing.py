"""What all drawings have in common."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the reader's own font
    "svg.hashsalt": "queuectl",  # the same figures, the same file
    "font.family": "sans-serif",
    "font.sans-serif": ["Segoe UI", "Helvetica Neue", "Arial", "DejaVu Sans"],
    "font.size": 10,
}
