"""`top`: one look elsewhere, the same again and again on a terminal, with keys that act on the chosen queue."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from io import StringIO

import pytest

from queuectl.cli import main
from queuectl.commands.filters import Filter
from queuectl.commands.output import Output
from queuectl.commands.seen import Seen
from queuectl.commands.session import Session
from queuectl.commands.sparkline import PLAIN_BARS, sparkline
from queuectl.commands.top_history import History
from queuectl.commands.top_live import Top, bars, console_on
from queuectl.commands.top_look import Look, Wanted, take
from queuectl.commands.top_screen import Frame, draw, fit, shares
from queuectl.drivers.contract import Counts
from queuectl.drivers.control import Beat, Pause
from tests.unit.cli.conftest import Site, Terminal

UUID = "aaaaaaaa-0000-4000-8000-000000000001"
FRAME = re.compile(r"\x1b\[H")
COLOUR = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def frames(out: str) -> list[str]:
    """What was drawn, one text for each drawing, without colours."""
    return [COLOUR.sub("", frame) for frame in FRAME.split(out)[1:]]


def beat(*, running: tuple[dict[str, object], ...] = (), ago: float = 0.0) -> Beat:
    now = time.time()
    return Beat("web-1:7:x", "mailer", "web-1", 7, ("mail",), now - 3700, now - ago, 1, 1234, running)


@pytest.fixture
def busy(ready: Site) -> Site:
    """Two queues, a worker with a job, and a failure."""
    ready.push("mail", 3)
    ready.push("image")
    ready.fail(UUID)
    with ready.driver() as driver:
        driver.control.beat(beat(running=({"job": "Mail", "uuid": "u", "queue": "mail", "since": time.time() - 65},)))
        driver.control.count({"done:mail": 40, "failed:mail": 2})
    return ready


def test_elsewhere_it_is_one_look(busy: Site) -> None:
    """Whole words in columns, for people who read a log."""
    run = busy.run("top")
    assert run.code == 0
    lines = run.out.splitlines()
    assert lines[0].endswith("4 pending  0 running  1 worker  1 failed")
    assert any(re.fullmatch(r"mail +3 +0 +0 +\d+s +1 +-", line) for line in lines)
    assert any(re.fullmatch(r"mailer@web-1:7 +mail +1h 1m +1,234 +Mail 1m \d+s", line) for line in lines)
    assert re.search(r"mail +Mail +OSError: the server is away", run.out)


def test_scripts_get_numbers(busy: Site) -> None:
    """With `monitor`'s keys, totals to make rates of, and who runs what since when."""
    found = busy.run("queue:top", "--json").json
    queue = next(queue for queue in found["queues"] if queue["queue"] == "mail")
    assert (queue["pending"], queue["workers"], queue["done_total"], queue["failed_total"]) == (3, 1, 40, 2)
    [worker] = found["workers"]
    assert (worker["name"], worker["running"][0]["job"]) == ("mailer", "Mail")
    assert datetime.fromisoformat(worker["running"][0]["since_at"]) < datetime.now(UTC)
    assert (found["failed"]["count"], found["failed"]["recent"][0]["uuid"]) == (1, UUID)


def test_nothing_is_said_in_words(ready: Site) -> None:
    """Empty tables would leave doubts."""
    run = ready.run("top")
    assert [line in run.out for line in ("No queue holds a job.", "No worker is alive.", "Nothing has failed.")] == [
        True
    ] * 3


def test_on_sync_there_is_nothing_to_watch(site: Site) -> None:
    """A note that says how to have queues, and no screen."""
    site.write('default = "sync"')
    run = site.run("top", terminal=True)
    assert (run.code, "QUEUE_CONNECTION=database" in run.err, "\x1b[?1049h" in run.out) == (0, True, False)


def test_only_some_queues(busy: Site) -> None:
    """By name or pattern; with the workers that serve them."""
    found = busy.run("top", "--queue", "im*", "--json").json
    assert ([queue["queue"] for queue in found["queues"]], found["workers"]) == (["image"], [])


def test_a_paused_queue_is_listed(ready: Site) -> None:
    """Though it is empty: that it is paused is what one must see."""
    ready.run("pause", "quiet")
    assert "quiet (paused)" in ready.run("top").out


def test_a_connection_that_is_away_is_told(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are shown; 7. None at all: its own exit code."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    run = busy.run("top", "--json")
    assert (run.code, list(run.json["lost"])) == (7, ["redis"])
    assert busy.run("top").err.startswith("error: [redis] ")
    assert busy.run("top", "--connection", "redis").code == 69


@pytest.mark.parametrize("every", ["0.4", "0", "often"])
def test_two_looks_a_second_are_the_most(ready: Site, every: str) -> None:
    """A store is not there to be watched."""
    assert ready.run("top", "--every", every).code == 2


def test_it_draws_until_q(busy: Site) -> None:
    """On the other screen, which it leaves as it found it."""
    run = busy.run("top", stdin="q", terminal=True)
    assert run.code == 0
    assert run.out.startswith("\x1b[?1049h")
    assert run.out.endswith("\x1b[?1049l")
    assert "q quit" in frames(run.out)[-1]


def test_the_end_of_the_terminal_ends_it(busy: Site) -> None:
    assert busy.run("top", stdin="", terminal=True).code == 0


def test_p_pauses_and_resumes_the_chosen_queue(busy: Site) -> None:
    """With who did it; the arrows (or j, k) choose."""
    busy.run("top", stdin="jpq", terminal=True)
    with busy.driver() as driver:
        pause = driver.control.marks().paused["mail"]
        assert pause.by.partition("@")[2]
        assert driver.control.operations()[0].verb == "pause"
    run = busy.run("top", stdin="jpq", terminal=True)
    assert "[database:mail] is worked on again." in frames(run.out)[-1]
    with busy.driver() as driver:
        assert not driver.control.marks().paused


def test_one_queue_cannot_be_taken_out_of_a_pause_of_all(busy: Site) -> None:
    """It says what can be done."""
    busy.run("pause", "--all")
    run = busy.run("top", stdin="pq", terminal=True)
    assert "resume --all" in frames(run.out)[-1]


@pytest.mark.parametrize(("answer", "left"), [("y", 0), ("n", 1), ("x", 1)])
def test_r_retries_what_failed_there_once_it_is_confirmed(busy: Site, answer: str, left: int) -> None:
    """Anything but y means no."""
    run = busy.run("top", stdin=f"jr{answer}xxq", terminal=True)
    assert "Retry what failed on [database:mail]? y or n" in "".join(frames(run.out))
    assert (len(busy.failed_uuids()), busy.size("mail")) == (left, 4 - left)


def test_a_store_that_is_away_does_not_hinder_another(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed on one that answers is put back."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    run = busy.run("top", stdin="jryxxq", terminal=True)
    assert "[database:mail]: 1 failed job put back." in "".join(frames(run.out))
    assert busy.failed_uuids() == []


def test_a_store_that_goes_away_does_not_end_it(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where it is looked at, nor where a key was to change something: both are said on the screen."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    session = Session(Output(Terminal(), StringIO(), StringIO(), {"TERM": "xterm"}))
    wanted = Wanted(["database", "redis"], Filter())
    top = Top(session, wanted, take(session, wanted), every=0.0)
    (busy.root / "storage/queue.sqlite").unlink()
    top.press("p")
    top.keep_up()
    text = top.draw(200, 30, "#").plain
    session.close()
    assert "[redis] " in text
    assert "> database:" in text
    assert "queue.sqlite" in text
    assert "q quit" not in text


# What is drawn


def look(at: float = 1_800_000_000.0, *, pending: int = 1, queues: int = 1, done: int = 0) -> Look:
    found = [Seen("database", f"queue-{number}", Counts(pending), 1, None, 3.0) for number in range(queues)]
    counters = {("database", f"done:{queue.queue}"): done for queue in found}
    return Look(at, found, [("database", beat())], [], 0, counters)


def test_rates_come_from_counters_between_looks() -> None:
    """Over a quarter of a minute, as workers write theirs every five seconds; a store that begins anew has not gone
    backwards."""
    history, key = History(), ("database", "queue-0")
    assert history.rate(key) is None
    for second in range(61):
        history.add(look(1000.0 + second, done=second // 5 * 50))
    assert history.rate(key) == pytest.approx(10, rel=0.34)
    assert history.total("done") == history.rate(key)
    history.add(look(1061.0, done=3))
    assert history.rate(key) == 0


def test_a_queue_that_is_gone_is_forgotten() -> None:
    """Names may come and go for weeks."""
    history = History()
    history.add(look(1000.0, queues=2))
    history.add(look(1002.0, queues=1))
    assert (history.waiting(("database", "queue-0")), history.waiting(("database", "queue-1"))) == ([1, 1], [])


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 40), (40, 12), (20, 9), (10, 3)])
def test_it_fits_the_window(width: int, height: int) -> None:
    """However small it is: no line is longer, and where there is room for the tables, no line is lost."""
    frame = Frame(width, height, ("database", "queue-30"))
    lines = draw(look(queues=40), History(), frame).plain.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= max(height, 9)
    if width >= 80:
        assert any("> queue-30" in line for line in lines)


def test_tables_share_the_room_fairly() -> None:
    """What one does not need, the others get."""
    assert shares(20, [40, 2, 10]) == [9, 2, 9]
    assert shares(None, [40, 2, 10]) == [40, 2, 10]
    assert shares(-3, [1, 1, 1]) == [0, 0, 0]


def test_the_widest_column_gives_way_first() -> None:
    assert fit(["A", "B"], [["x" * 50, "y" * 10]], 40) == [28, 10]


def test_colours_are_never_all_there_is() -> None:
    """Nor backgrounds, which would not be everybody's: only bold, dim, reverse and the terminal's own colours."""
    found = look()
    paused = Seen("database", "mail", Counts(3), 0, Pause(), 70.0)
    found = Look(found.at, [paused, *found.queues], found.workers, [], 0)
    out = Terminal()
    console_on(Output(out, StringIO(), StringIO(), {}), width=80).print(
        draw(found, History(), Frame(80, 24, paused.key))
    )
    codes = {int(code) for part in re.findall(r"\x1b\[([0-9;]+)m", out.getvalue()) for code in part.split(";")}
    assert codes <= {0, 1, 2, 7, 31, 32, 33, 36}
    assert "> mail (paused)" in COLOUR.sub("", out.getvalue())


def test_no_colour_where_none_is_wanted(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves bold and reverse; a dumb terminal gets one look and no escape at all."""
    out = Terminal()
    console_on(Output(out, StringIO(), StringIO(), {"NO_COLOR": "1"}), width=80).print(
        draw(look(), History(), Frame(80, 24, ("database", "queue-0")))
    )
    assert not re.search(r"\x1b\[[0-9;]*3\d", out.getvalue())
    out = Terminal()
    assert main(["top"], Output(out, StringIO(), StringIO(), {"TERM": "dumb"})) == 0
    assert "\x1b[?1049h" not in out.getvalue()


def test_a_terminal_without_utf8_gets_other_bars(busy: Site) -> None:
    """A C locale would show escapes where bars are meant."""

    class Ascii(Terminal):
        encoding = "ascii"

    assert bars(Output(Ascii(), sys.stderr, StringIO())) == PLAIN_BARS
    assert sparkline([0, 1, 8], 5, bars=PLAIN_BARS) == "   .#"
    assert sparkline([1, 2], 0) == ""
