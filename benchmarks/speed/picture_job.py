"""`ProcessImageJob` on one photo, in a process that is as a worker's child is before its first job."""

from __future__ import annotations

from queuectl import ProcessImageJob
from queuectl.app import App
from speed.taking import run


def main() -> None:
    app = App.load()
    app.bind()
    app.runner.close()
    run(lambda photo: ProcessImageJob.dispatch_sync(path=photo.name))


if __name__ == "__main__":
    main()
