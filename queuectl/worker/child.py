"""The child's side: wait for a job, run it, report. It never touches the queue's store for bookkeeping."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from queuectl.runner import Runner
from queuectl.worker.alarm import Alarm
from queuectl.worker.black_box import WHERE_ARE_YOU, BlackBox
from queuectl.worker.frames import Frame, FrameReader, Kind, pack
from queuectl.worker.messages import attempt_from, problem_from_json, problem_to_json, report_to_json

_PR_SET_PDEATHSIG = 1
_CHUNK = 262_144


def die_with(parent: int) -> None:
    """Make sure that this process does not outlive its parent: first thing in a child's life.

    Without its parent a job would run on with a lease that nobody renews, and so beside its own second run.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(1)


def prepare_signals(box: BlackBox) -> Alarm:
    """Stopping is the parent's decision; a crash, and the parent's question, leave a trace in *box*."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR2, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: None)
    faulthandler.enable(box.fileno())
    faulthandler.register(WHERE_ARE_YOU, box.fileno())
    alarm = Alarm()
    alarm.install()
    return alarm


def say_broken(line: socket.socket, message: str, text: str) -> None:
    """Tell the parent that the application cannot be imported."""
    line.sendall(pack(Frame(Kind.BROKEN, {"message": message, "text": text})))


def serve(line: socket.socket, box: BlackBox, runner: Runner, alarm: Alarm, declarations: Mapping[str, Any]) -> None:
    """Say hello, then run what the parent sends until it closes the line."""
    born_as = os.getpid()
    line.sendall(pack(Frame(Kind.HELLO, {"pid": os.getpid(), "jobs": dict(declarations)})))
    for frame in _frames(line):
        answer = _run(frame, box, runner, alarm) if frame.kind is Kind.RUN else _call_failed(frame, runner)
        if os.getpid() != born_as:  # a process that the job forked came back from it: the job is not its to report
            os._exit(0)
        line.sendall(pack(answer))


def _frames(line: socket.socket) -> Iterator[Frame]:
    reader = FrameReader()
    while data := line.recv(_CHUNK):
        yield from reader.feed(data)


def _run(frame: Frame, box: BlackBox, runner: Runner, alarm: Alarm) -> Frame:
    key = frame.head["key"]
    report = runner.run(attempt_from(frame), timeout=frame.head["timeout"], alarm=alarm, begins=partial(box.begin, key))
    return Frame(Kind.REPORT, {"key": key, **report_to_json(report)})


def _call_failed(frame: Frame, runner: Runner) -> Frame:
    problem = runner.call_failed(attempt_from(frame), problem_from_json(frame.head["problem"]))
    return Frame(Kind.HOOKED, {"key": frame.head["key"], "problem": problem and problem_to_json(problem)})
