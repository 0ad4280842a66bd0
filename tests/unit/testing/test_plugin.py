"""What the fixtures do where a server is absent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_pytest(folder: Path, *options: str) -> str:
    """What pytest says about one test that wants Valkey, where there is none."""
    (folder / "test_wanting.py").write_text("def test_it(valkey): pass\n")
    environment = {**os.environ, "QUEUECTL_TEST_VALKEY": str(folder / "absent")}
    plugins = ("-p", "no:valkey", "-p", "no:cacheprovider", "-p", "queuectl.testing.plugin")
    command = [sys.executable, "-m", "pytest", "-rs", *plugins, *options, str(folder)]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_an_absent_server_skips_its_tests_and_says_why(tmp_path: Path) -> None:
    """On a laptop one need not have everything."""
    said = run_pytest(tmp_path)
    assert "1 skipped" in said
    assert "QUEUECTL_TEST_VALKEY names" in said


def test_an_absent_server_fails_its_tests_where_servers_are_required(tmp_path: Path) -> None:
    """In CI nothing is skipped unseen."""
    said = run_pytest(tmp_path, "--require-servers")
    assert "1 error" in said
    assert "QUEUECTL_TEST_VALKEY names" in said


def test_the_header_names_the_servers(tmp_path: Path) -> None:
    """Their versions, or that they are absent: a report says what it was made with."""
    header = next(line for line in run_pytest(tmp_path).splitlines() if line.startswith("servers: "))
    assert "Valkey absent" in header
    assert "PostgreSQL" in header
