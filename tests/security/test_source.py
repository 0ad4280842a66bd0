"""What the package's source may not do, whatever its tests say: read from the code itself."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "queuectl"
SHIPPED = (PACKAGE, ROOT / "examples", ROOT / "benchmarks")
DANGEROUS_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "marshal",
    "shelve",
    "jsonpickle",
    "yaml",
    "xmlrpc",
    "code",
}
DANGEROUS_CALLS = {"eval", "exec", "compile", "__import__", "input", "literal_eval", "system", "popen", "mktemp"}
MAY_IMPORT_BY_NAME = {
    "queuectl/__init__.py": "its own modules, from a table",
    "queuectl/commands/group.py": "its own commands, from a table",
    "queuectl/drivers/__init__.py": "the driver that the configuration names",
    "queuectl/drivers/database/driver.py": "its own dialects, from a table",
    "queuectl/jobs/registry.py": "the modules that the configuration names",
    "queuectl/notifications/services.py": "the service that the configuration names",
    "queuectl/transactions/kinds.py": "its own modules for the libraries whose connections it is given, from a table",
}


@cache
def sources() -> dict[str, ast.Module]:
    installed = {".venv", ".peers"}  # what a folder has of others
    files = [file for folder in SHIPPED for file in folder.rglob("*.py") if not installed & set(file.parts)]
    return {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text()) for file in files}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Plain names, and attributes of plain names as `module.name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            yield f"{owner}.{node.func.attr}", node


@pytest.mark.fault("X2")
def test_nothing_but_json_and_toml_is_read() -> None:
    """No format that can carry code is imported anywhere, and no text is ever run."""
    assert len(sources()) > 200
    for name, tree in sources().items():
        assert not {module.partition(".")[0] for module in imports(tree)} & DANGEROUS_MODULES, name
        for called, _ in calls(tree):
            owner, _, function = called.rpartition(".")
            assert not (function in DANGEROUS_CALLS and owner in ("", "ast", "os", "builtins", "tempfile")), name


@pytest.mark.fault("X2")
def test_no_shell_is_started() -> None:
    """Programs get lists of arguments."""
    for name, tree in sources().items():
        for _, call in calls(tree):
            assert not [word for word in call.keywords if word.arg == "shell"], name


@pytest.mark.fault("X1", "X19")
def test_only_what_a_table_or_the_configuration_names_is_imported() -> None:
    """Whoever wants another place to import by name must say here where the name comes from: never from a payload."""
    found = {name for name, tree in sources().items() if any("import_module" in called for called, _ in calls(tree))}
    assert {name for name in found if name.startswith("queuectl/")} == set(MAY_IMPORT_BY_NAME)


@pytest.mark.fault("X14")
def test_no_command_walks_through_a_whole_server() -> None:
    """Neither KEYS nor FLUSH is ever sent to Redis."""
    forbidden = {"KEYS", "FLUSHALL", "FLUSHDB", "CONFIG", "DEBUG"}
    for name, tree in sources().items():
        if name.startswith("queuectl/drivers/redis"):
            texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            sent = {text.decode("latin-1") if isinstance(text, bytes) else text for text in texts}
            assert not forbidden & {text.upper() for text in sent if isinstance(text, str)}, name


@pytest.mark.fault("X2")
def test_the_linter_looks_for_more_of_this() -> None:
    """Its security rules are on, but for the one that suspects every process that is started."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert {"S", "B"} <= set(rules["select"])
    assert [rule for rule in rules["ignore"] if rule.startswith(("S", "B"))] == ["S603"]
