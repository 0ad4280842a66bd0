"""The child's side: wait for a job, run it, report. It never touches the queue's store for bookkeeping."""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import socket
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from queuectl.runner import Runner
from queuectl.worker.alarm import Alarm
from queuectl.worker.black_box import WHERE_ARE_YOU, Writer
from queuectl.worker.frames import CHUNK, Frame, FrameReader, Kind, pack, to_head
from queuectl.worker.messages import failed_from, pack_hooked, pack_report, run_from
from queuectl.worker.orphans import signal_when_orphaned
from queuectl.worker.vigil import Vigil


def die_with(parent: int) -> None:
    """Make sure that this process does not outlive its parent: first thing in a child's life.

    Without its parent a job would run on with a lease that nobody renews, and so beside its own second run.
    """
    if not signal_when_orphaned(signal.SIGKILL, parent):
        os._exit(1)


def prepare_signals(box: Writer) -> Alarm:
    """Stopping is the parent's decision; a crash, and the parent's question, leave a trace in *box*."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR2, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: None)
    faulthandler.enable(box.fileno())
    faulthandler.register(WHERE_ARE_YOU, box.fileno())
    alarm = Alarm()
    alarm.install()
    return alarm


def say_hello(line: socket.socket, declarations: Mapping[str, Any]) -> None:
    """Tell the parent that it may send jobs, and which ones are known here."""
    line.sendall(pack(Kind.HELLO, head=to_head({"pid": os.getpid(), "jobs": dict(declarations)})))


def say_broken(line: socket.socket, message: str, text: str) -> None:
    """Tell the parent that the application cannot be imported."""
    line.sendall(pack(Kind.BROKEN, head=to_head({"message": message, "text": text})))


def serve(line: socket.socket, box: Writer, runner: Runner, alarm: Alarm) -> None:
    """Run what the parent sends, one after the other, until it closes the line."""
    born_as = os.getpid()
    for frame in frames(line, Vigil(poll_of(line))):
        answer = _run(frame, box, runner, alarm) if frame.kind is Kind.RUN else call_failed(frame, runner)
        leave_if_forked(born_as)
        line.sendall(answer)


def frames(line: socket.socket, vigil: Vigil | None = None) -> Iterator[Frame]:
    """What the parent sends, until it closes the line."""
    reader = FrameReader()
    while True:
        if vigil is not None:
            vigil.wait()
        if not (data := line.recv(CHUNK)):
            return
        yield from reader.feed(data)


def poll_of(line: socket.socket) -> select.poll:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return poll


def leave_if_forked(born_as: int) -> None:
    """A process that a job forked came back from it: the job is not its to report."""
    if os.getpid() != born_as:
        os._exit(0)


def call_failed(frame: Frame, runner: Runner) -> bytes:
    return pack_hooked(frame.key, runner.call_failed(*failed_from(frame)))


def _run(frame: Frame, box: Writer, runner: Runner, alarm: Alarm) -> bytes:
    attempt, timeout = run_from(frame)
    report = runner.run(
        attempt,
        timeout=timeout,
        alarm=alarm,
        begins=partial(box.begin, frame.key),
        is_cancelled=partial(box.is_cancelled, frame.key),
    )
    return pack_report(frame.key, report)
