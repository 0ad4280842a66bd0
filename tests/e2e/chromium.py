"""Debian's Chromium, or one like it, and what a test must know of a page in it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from queuectl.testing.programs import Program

NAMES = ("chromium", "chromium-browser", "google-chrome")
PASSWORD = "demo"


class _Chromium(Program):
    """Has another name on every system; what it prints as its version matters to nobody."""

    def _from_path(self) -> Path | None:
        return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


CHROMIUM = _Chromium("Chromium", "QUEUECTL_TEST_CHROMIUM", NAMES[0])


def launch(playwright: Playwright, executable: Path) -> Browser:
    """A browser that is there already: none is ever downloaded."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to make one for root
    return playwright.chromium.launch(executable_path=executable, args=sandbox)


class Visit:
    """One person's browser: a context of its own, and what its console complained about."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, username: str) -> Page:
        """The page of this user, connected to the stream where there is JavaScript."""
        self.page.goto(self.url)
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name=re.compile("^Hello"))).to_be_visible()
        return self.page

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):  # violations of the content security policy are among them
            self.complaints.append(message.text)
