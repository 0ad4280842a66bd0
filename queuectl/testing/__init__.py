"""What tests need: throw-away servers, the contract that every driver keeps, and fixtures for pytest.

pytest_plugins = ["queuectl.testing.plugin"]      # the fixtures: valkey, redis62, postgres, mariadb, …

class TestMyDriver(DriverContract):               # queuectl.testing.contract
    @pytest.fixture
    def connection(self): return Connection("mine", "mine", url=...)
"""
