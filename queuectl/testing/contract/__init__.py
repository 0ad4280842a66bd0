"""What every driver promises, as tests. Subclass and say which connection to test:

    class TestMyDriver(DriverContract):
        @pytest.fixture
        def connection(self): return Connection("mine", "mine", url=..., retry_after=30)

The store must be empty and its tables made. All tests but `RealTimeContract`'s move a `FakeClock`.
"""

from __future__ import annotations

from queuectl.testing.contract.cancelling import Cancelling
from queuectl.testing.contract.conserving import Conserving
from queuectl.testing.contract.controlling import Controlling
from queuectl.testing.contract.failing import Failing
from queuectl.testing.contract.fencing import Fencing
from queuectl.testing.contract.keeping import Keeping
from queuectl.testing.contract.leasing import Leasing
from queuectl.testing.contract.looking import Looking
from queuectl.testing.contract.operating import Operating
from queuectl.testing.contract.ordering import Ordering
from queuectl.testing.contract.pushing import Pushing
from queuectl.testing.contract.real_time import RealTimeContract
from queuectl.testing.contract.removing import Removing
from queuectl.testing.contract.settling import Settling
from queuectl.testing.contract.sharing import Sharing
from queuectl.testing.contract.undoing import Undoing

__all__ = ["DriverContract", "RealTimeContract"]


class DriverContract(
    Pushing,
    Ordering,
    Settling,
    Leasing,
    Fencing,
    Failing,
    Keeping,
    Controlling,
    Operating,
    Looking,
    Cancelling,
    Removing,
    Undoing,
    Sharing,
    Conserving,
):
    """Every promise of `queuectl.drivers.contract`."""
