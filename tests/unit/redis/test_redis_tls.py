"""`rediss://`: encrypted, and verified unless told otherwise. The server's side of TLS is played by the test's wire."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from queuectl.drivers.redis import RedisDriver
from queuectl.errors import AccessDenied, QueuectlError
from queuectl.testing.contract.base import entry, push, reserve
from queuectl.testing.servers import Valkey
from queuectl.testing.wires import Wire

Open = Callable[..., RedisDriver]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """Self-signed, for 127.0.0.1; its key beside it."""
    if shutil.which("openssl") is None:
        if pytestconfig.getoption("--require-servers"):
            pytest.fail("openssl is not installed", pytrace=False)
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=queue"
    files = ["-keyout", "key.pem", "-out", "cert.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command.split(), *files], cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem"


@pytest.fixture
def port(certificate: Path, valkey: Valkey) -> Iterator[int]:
    """Where the server is, under TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    wire = Wire(valkey.port, context)
    yield wire.port
    wire.close()


def test_a_trusted_certificate_is_enough(port: int, certificate: Path, prefix: str, open_driver: Open) -> None:
    """Jobs go through, and the watch wakes."""
    driver = open_driver(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}", prefix=prefix)
    uuids = push(driver, *(entry() for _ in range(3)))
    watch = driver.watch(["mail"])
    watch.next_check_in()
    assert watch.fileno() is not None
    watch.close()
    assert len(reserve(driver, room=5)) == len(uuids)


@pytest.mark.fault("F23", "X15")
def test_an_unknown_certificate_is_refused(port: int, open_driver: Open) -> None:
    """Verification is on unless the URL says otherwise."""
    with pytest.raises(AccessDenied, match=r"(?i)certificate"):
        open_driver(f"rediss://127.0.0.1:{port}/0").check()


def test_verification_can_be_switched_off(port: int, prefix: str, open_driver: Open) -> None:
    """By a name that says so."""
    driver = open_driver(f"rediss://127.0.0.1:{port}/0?ssl_cert_reqs=none&ssl_check_hostname=no", prefix=prefix)
    driver.check()


@pytest.mark.fault("F23", "X15")
def test_a_server_without_tls_is_told(valkey: Valkey, open_driver: Open) -> None:
    """One of our errors, not one of the ssl module's."""
    with pytest.raises(QueuectlError):
        open_driver(f"rediss://127.0.0.1:{valkey.port}/0", timeout=1.0).check()
