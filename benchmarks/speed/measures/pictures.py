"""A photo of twelve megapixels made to fit, with a thumbnail: `ProcessImageJob` against pyvips."""

from __future__ import annotations

import json
import sys

from speed.contestants import CONFIGURATION
from speed.peers.venvs import ready
from speed.photo import camera_photo, likeness
from speed.places import MeasureFailed, Place
from speed.run import Run
from speed.stores import Sqlite

MIB = 1 << 20
OURS, THEIRS = "ProcessImageJob", "pyvips"
ONE_THREAD = {"VIPS_CONCURRENCY": "1"}
"""As a worker's process has; libvips would take all there are."""
DISK = '\n[disks.public]\nroot = "pictures"\n'


def measure(run: Run) -> None:
    store = Sqlite()
    store.start()
    try:
        with Place(store) as place:
            stage(place, camera_photo(run.size.megapixels))
            programs = {OURS: [sys.executable, "-m", "speed.picture_job"]}
            if run.peers:
                with run.trying("pictures", "", THEIRS):
                    programs[THEIRS] = [str(ready("pyvips", run.say)), "-m", "speed.peers.programs.pictures"]
            for _ in range(run.rounds):
                for who, program in programs.items():
                    with run.trying("pictures", "", who):
                        made(run, place, who, program)
    finally:
        store.close()


def stage(place: Place, photo: bytes) -> None:
    (place.folder / "conf").mkdir()
    (place.folder / "conf/queue.toml").write_text(CONFIGURATION.format(kind="database", url=place.url) + DISK)
    (place.folder / "pictures").mkdir()
    (place.folder / "photo.jpg").write_bytes(photo)


def made(run: Run, place: Place, who: str, program: list[str]) -> None:
    done = place.run([*program, str(run.size.pictures)], ONE_THREAD)
    if done.code:
        raise MeasureFailed(f"ended with {done.code}: {done.output.strip()[-200:]}")
    said = json.loads(done.output.strip().splitlines()[-1])
    run.note("pictures", "", who, said["seconds"] * 1000, "ms")
    run.note("pictures: CPU", "", who, said["cpu"] * 1000, "ms")
    run.note("pictures: memory above idle", "", who, (said["peak"] - said["idle"]) / MIB, "MiB")
    found = likeness(place.folder / "photo.jpg", place.folder / "pictures/photo.jpg")
    run.note("pictures: likeness", "", who, found, "dB")
