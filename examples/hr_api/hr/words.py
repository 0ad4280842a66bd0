"""How the page says times, days and priorities."""

from __future__ import annotations

import datetime
from typing import Any

TO = " \N{EN DASH} "


def day(date: datetime.date) -> str:
    """`Tuesday 24 November 2026`."""
    return f"{date:%A} {date.day} {date:%B %Y}"


def moment(time: datetime.datetime) -> str:
    """`Today, 08:52`, `Yesterday, 17:05`, `20 Nov, 09:01`, in the server's time zone."""
    local = time.astimezone()
    ago = (datetime.datetime.now().astimezone().date() - local.date()).days
    return f"{({0: 'Today', 1: 'Yesterday'}).get(ago, f'{local.day} {local:%b}')}, {local:%H:%M}"


def span(first: datetime.date, last: datetime.date) -> str:
    """`3 July to 7 August 2026` and the like, with a dash, and with no part said twice."""
    end = f"{last.day} {last:%B %Y}"
    if first == last:
        return end
    if first.year != last.year:
        return f"{first.day} {first:%B %Y}{TO}{end}"
    return f"{first.day}{TO}{end}" if first.month == last.month else f"{first.day} {first:%B}{TO}{end}"


def length(first: datetime.date, last: datetime.date) -> str:
    """`1 day`, `5 days`, both ends included."""
    days = (last - first).days + 1
    return f"{days} day{'s' if days > 1 else ''}"


def is_urgent(notification: Any) -> bool:
    return notification["priorite"] in ("haute", "urgente")
