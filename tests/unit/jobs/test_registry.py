"""The registry is the only way from a name to code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuectl.errors import ConfigurationError, DuplicateJob, UnknownJob
from queuectl.jobs.declaration import Declaration
from queuectl.jobs.definition import Job, has_failed_hook
from queuectl.jobs.function import job
from queuectl.jobs.limits import Settings
from queuectl.jobs.registry import BUILT_IN, Registry
from queuectl.jobs.settings import declared

NAMES = r"""
os.system subprocess.Popen builtins.eval builtins.exec eval exec __import__ os sys posix.system pty.spawn
canary canary.Job canary:Job canary.Job@handle canary@handle app.jobs.Welcome queuectl.jobs.definition.Job
queuectl.jobs.definition:Job Job Job.__subclasses__ Welcome.__class__ Welcome.handle Welcome@handle welcome WELCOME
Welcome.__init__.__globals__ ../canary ./canary /etc/passwd canary.py file:///canary.py http://example.com/x.py
importlib.import_module pickle.loads yaml.load shutil.rmtree __main__ __builtins__ SendNotificationJob.__module__
queuectl.jobs.process_image.ProcessImageJob Illuminate\Queue\CallQueuedHandler@call
"""
HOSTILE = [*NAMES.split(), "Welcome ", " Welcome", "Welcome\0", "", "Wélcome", "Welcome\n"]


class Welcome(Job):
    user_id: int
    tries = 3
    backoff = 5

    def handle(self) -> None: ...

    def failed(self, error: BaseException) -> None: ...


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A folder of modules, forgotten again afterwards."""
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("from queuectl import Job, job\n" + dedent(text))


JOB = """
class {name}(Job):
    def handle(self) -> None: ...
"""


def test_a_registered_class_is_found_by_its_exact_name() -> None:
    """And registering it once more changes nothing."""
    registry = Registry()
    registry.add(Welcome)
    registry.add(Welcome)
    assert registry.get("Welcome") is Welcome
    assert registry.names() == sorted(["Welcome", *BUILT_IN])


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    """With the one that was probably meant."""
    registry = Registry()
    registry.add(Welcome)
    with pytest.raises(UnknownJob, match=r"'Welcom'\. Did you mean 'Welcome'\? Known: Proc.*, Welcome"):
        registry.get("Welcom")


@pytest.mark.fault("X1")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_imported_or_resolved(name: str, root: Path) -> None:
    """Whatever a payload calls its job: an exact match, or nothing happens."""
    (root / "canary.py").write_text(f"open({str(root / 'imported')!r}, 'w').close()\nclass Job: ...\n")
    sys.path.insert(0, str(root))
    registry = Registry()
    registry.add(Welcome)
    modules = set(sys.modules)
    with pytest.raises(UnknownJob):
        registry.get(name)
    assert not (root / "imported").exists()
    assert set(sys.modules) == modules


@pytest.mark.fault("X1")
@given(st.text())
def test_no_text_is_a_job_unless_registered(name: str) -> None:
    """Any text at all."""
    if name not in BUILT_IN:
        with pytest.raises(UnknownJob):
            Registry().get(name)


def test_a_clash_shows_both_places() -> None:
    """File and line of each."""
    registry = Registry()
    registry.add(Welcome)
    with pytest.raises(DuplicateJob) as clash:
        registry.add(type("Other", (Welcome,), {"name": "Welcome"}))
    assert str(clash.value).count(__file__) == 2
    assert "Welcome" in str(clash.value)
    assert "another name" in str(clash.value.hint)


def test_a_clash_with_a_built_in_job_shows_its_file() -> None:
    """Their names are taken, imported or not."""
    registry = Registry()
    with pytest.raises(DuplicateJob, match=r"send_notification\.py"):
        registry.add(type("SendNotificationJob", (Welcome,), {}))


def test_a_class_defined_again_replaces_itself() -> None:
    """A notebook's cell run twice, a module loaded again."""
    registry = Registry()
    again = type("Welcome", (Welcome,), {"__module__": __name__, "__qualname__": "Welcome"})
    registry.add(Welcome)
    registry.add(again)
    assert registry.get("Welcome") is again


def test_modules_are_imported_from_the_root(root: Path) -> None:
    """Classes and functions, and those that a module has from elsewhere; classes without `handle` are no jobs."""
    write(root, "first.py", JOB.format(name="A") + "class Base(Job):\n    queue = 'mail'\n")
    write(root, "second.py", "from first import A, Base\n@job\ndef b() -> None: ...\n")
    registry = Registry()
    registry.load(["second"], root)
    assert registry.names() == sorted(["A", "b", *BUILT_IN])


def test_a_package_stands_for_the_modules_in_it(root: Path) -> None:
    """One line in the configuration, a file for each job; a `__main__` is a program and stays out."""
    write(root, "warehouse/__init__.py", "")
    write(root, "warehouse/orders.py", JOB.format(name="Order"))
    write(root, "warehouse/mail/__init__.py", JOB.format(name="Mail"))
    write(root, "warehouse/mail/digest.py", JOB.format(name="Digest"))
    write(root, "warehouse/__main__.py", "raise SystemExit('not a module of jobs')")
    registry = Registry()
    registry.load(["warehouse"], root)
    assert registry.names() == sorted(["Digest", "Mail", "Order", *BUILT_IN])


@pytest.mark.fault("F33")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("class A(Job):\n    trys = 3", "Did you mean `tries = 3`"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_a_configuration_error(root: Path, text: str, said: str) -> None:
    """It names the module and shows the end of the traceback."""
    write(root, "broken.py", text)
    with pytest.raises(ConfigurationError) as error:
        Registry().load(["broken"], root)
    assert "The jobs module 'broken' cannot be imported" in str(error.value)
    assert said in str(error.value)
    assert "broken.py" in str(error.value)
    assert "importlib" not in str(error.value)


def test_a_module_that_is_not_there_is_a_configuration_error(root: Path) -> None:
    """It says where it was looked for."""
    with pytest.raises(ConfigurationError, match=f"'nowhere' cannot be imported from {root}"):
        Registry().load(["nowhere"], root)


def test_installed_distributions_bring_jobs(root: Path) -> None:
    """Through the entry-point group: a module, a class or a function."""
    write(root, "plugin.py", JOB.format(name="Plugged") + JOB.format(name="Single") + "@job\ndef plug() -> None: ...\n")
    information = root / "plugin-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[queuectl.jobs]\none = plugin:Single\ntwo = plugin:plug\n")
    registry = Registry()
    registry.load([], root)
    assert registry.names() == sorted(["Single", "plug", *BUILT_IN])
    (information / "entry_points.txt").write_text("[queuectl.jobs]\none = plugin\nbad = plugin:Missing\n")
    with pytest.raises(ConfigurationError, match="'plugin:Missing' that plugin brings cannot be imported"):
        Registry().load([], root)


def test_of_archives_the_entry_points_are_read_too(root: Path) -> None:
    """Where jobs may lie that cannot be seen by looking into folders."""
    archive = root / "plugin.zip"
    with ZipFile(archive, "w") as file:
        file.writestr("plugin.py", "from queuectl import Job\n" + JOB.format(name="Zipped"))
        file.writestr("plugin-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
        file.writestr("plugin-1.0.dist-info/entry_points.txt", "[queuectl.jobs]\none = plugin\n")
    sys.path.insert(0, str(archive))
    registry = Registry()
    registry.load([], root)
    assert "Zipped" in registry.names()


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_said_of_built_in_jobs_is_what_they_say(name: str) -> None:
    """Whether they have been imported or not."""
    registry = Registry()
    before = registry.declarations()[name]
    cls = registry.get(name)
    assert before == registry.declarations()[name] == Declaration(declared(cls), has_failed_hook(cls))


def test_declarations_travel_as_json() -> None:
    """What the parent of a worker must know of a job that it never imports."""
    registry = Registry()
    registry.add(Welcome)

    @job(timeout=5, fail_on_timeout=True, max_exceptions=2)
    def work() -> None: ...

    registry.add(work.job)
    found = registry.declarations()
    assert found["Welcome"] == Declaration(Settings(tries=3, backoff=(5,)), has_failed=True)
    assert found["work"] == Declaration(Settings(timeout=5, fail_on_timeout=True, max_exceptions=2), has_failed=False)
    assert found["SendNotificationJob"].settings == Settings(tries=3, backoff=(10, 30, 60))
    for declaration in found.values():
        assert Declaration.from_json(declaration.to_json()) == declaration
