"""The example, running, and browsers to visit it with. No complaint of a browser's console passes unseen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from queuectl.testing.plugin import require
from tests.acceptance.project import PATIENCE
from tests.e2e.chromium import CHROMIUM, Visit, launch
from tests.e2e.stack import Stack

MakeVisit = Callable[..., Visit]

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    executable = require(CHROMIUM, pytestconfig)
    with sync_playwright() as playwright, launch(playwright, executable) as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("hr") / "hr_api")
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[MakeVisit]:
    """Open a browser context of its own for somebody; *settings* are the context's."""
    visits: list[Visit] = []

    def make(**settings: Any) -> Visit:
        viewport = {"width": 1280, "height": 1040}
        context = browser.new_context(**{"viewport": viewport, "locale": "en-GB", **settings})
        context.set_default_timeout(PATIENCE * 1000)
        visits.append(Visit(context, stack.url))
        return visits[-1]

    yield make
    complaints = [complaint for made in visits for complaint in made.complaints]
    for made in visits:
        made.context.close()
    assert not complaints


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the page go: QUEUECTL_SCREENSHOTS, or a folder that pytest cleans up."""
    named = os.environ.get("QUEUECTL_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
