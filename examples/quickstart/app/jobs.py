"""The one job of the quickstart that is not built in: it fails until its file is there."""

from pathlib import Path

from queuectl import Job


class ImportPayroll(Job):
    month: str

    tries = 1

    def handle(self) -> None:
        salaries = Path(f"storage/payroll/{self.month}.csv").read_text().splitlines()
        print(f"Salaries of {self.month}: {len(salaries)}.")
