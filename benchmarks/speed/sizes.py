"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers of jobs, rows and repetitions."""

    jobs: int = 6_000
    """Drained in one run."""
    peer_jobs: int = 2_500
    exchanges: int = 3_000
    """Of a bare client."""
    bulk: int = 50_000
    flood: int = 1_000_000
    """From a generator, to see how much memory that takes."""
    rows: int = 1_000_000
    """In a store that is full."""
    few: int = 1_000
    """In one that is not."""
    failed: int = 100_000
    due: int = 50_000
    """Delayed jobs of the same second."""
    ahead: float = 3.0
    """Seconds from when they are all there until they are due."""
    settling: float = 0.5
    """Seconds for what a worker does behind a job's back when it has begun: acknowledge it, for instance."""
    naps: int = 500
    spins: int = 200
    paced: int = 60
    bursts: int = 12
    burst: int = 20
    idle: float = 3.0
    """Seconds for which a worker is watched that has nothing to do."""
    starts: int = 9
    pictures: int = 7
    megapixels: tuple[int, int] = (4000, 3000)


FULL = Size()
QUICK = replace(
    FULL,
    jobs=3_000,
    peer_jobs=1_000,
    exchanges=1_000,
    bulk=10_000,
    flood=100_000,
    rows=100_000,
    failed=10_000,
    due=5_000,
    naps=200,
    spins=100,
    paced=20,
    bursts=4,
    idle=2.0,
    starts=5,
    pictures=3,
)
TINY = replace(
    QUICK,
    jobs=60,
    peer_jobs=60,
    exchanges=20,
    bulk=60,
    flood=20,
    rows=200,
    few=20,
    failed=30,
    due=40,
    ahead=0.5,
    settling=0.05,
    naps=20,
    spins=4,
    paced=3,
    bursts=1,
    burst=3,
    idle=0.05,
    starts=1,
    pictures=1,
    megapixels=(400, 300),
)
SIZES = {"full": FULL, "quick": QUICK, "tiny": TINY}
