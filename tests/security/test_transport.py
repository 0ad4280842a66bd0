"""Databases over TLS: a certificate that nobody vouches for is refused, with words that say so."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from queuectl.config import Connection
from queuectl.drivers import build
from queuectl.errors import ConfigurationError
from queuectl.migrations import migrate
from queuectl.testing.contract.base import push, reserve_one, uuid_of
from queuectl.testing.plugin import start
from queuectl.testing.servers import MariaDB
from queuectl.testing.wires import Wire

REQUEST = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"


def make_certificate(folder: Path) -> Path:
    """Self-signed, for 127.0.0.1; its key beside it, for the owner of the folder."""
    files = ["-keyout", "key.pem", "-out", "cert.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*REQUEST.split(), *files], cwd=folder, check=True, capture_output=True)
    owner = folder.stat()
    (folder / "key.pem").chmod(0o600)
    os.chown(folder / "key.pem", owner.st_uid, owner.st_gid)
    return folder / "cert.pem"


class TlsMariaDB(MariaDB):
    def prepare(self) -> None:
        super().prepare()
        make_certificate(self.folder / "data")

    def command(self) -> Sequence[str | Path]:
        data = self.folder / "data"
        return [*super().command(), f"--ssl-cert={data / 'cert.pem'}", f"--ssl-key={data / 'key.pem'}"]


@pytest.fixture(autouse=True)
def _openssl(pytestconfig: pytest.Config) -> None:
    if shutil.which("openssl") is None:
        if pytestconfig.getoption("--require-servers"):
            pytest.fail("openssl is not installed", pytrace=False)
        pytest.skip("openssl is not installed")


@pytest.fixture
def encrypted_mariadb(pytestconfig: pytest.Config) -> Iterator[str]:
    """A URL that lacks only the certificate to believe."""
    server = start(TlsMariaDB, pytestconfig)
    yield f"{server.url}?ssl_ca={server.folder}/data/"
    server.close()


@pytest.fixture
def encrypted_postgres(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    """The same. The server has no TLS of its own: the wire plays its side."""
    folder = tmp_path / "server"
    folder.mkdir()
    certificate = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, folder / "key.pem")
    context.set_alpn_protocols(["postgresql"])
    parts = urlsplit(postgres_url)
    assert parts.port is not None
    wire = Wire(parts.port, context)
    place = parts._replace(netloc=f"postgres@127.0.0.1:{wire.port}").geturl()
    yield f"{place}?sslmode=verify-full&sslnegotiation=direct&sslrootcert={folder}/"
    wire.close()


@pytest.mark.fault("X15")
@pytest.mark.parametrize("store", ["postgres", "mariadb"])
def test_only_a_certificate_that_is_vouched_for_is_believed(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """With its own authority jobs come and go. With another one, for another host or without a file the connection is
    refused as wrong configuration, which no worker waits for."""
    url: str = request.getfixturevalue(f"encrypted_{store}")
    migrate(to(f"{url}cert.pem"))
    driver = build(to(f"{url}cert.pem"))
    [uuid] = push(driver)
    assert uuid_of(reserve_one(driver)) == uuid
    driver.close()
    place, _, folder = url.rpartition("=")
    stranger = make_certificate(tmp_path)
    for wrong, words in (
        (f"{place}={stranger}", "certificate verify failed"),
        (f"{url}cert.pem".replace("127.0.0.1", "localhost"), "(?i)localhost|match"),
        (f"{place}={folder}none.pem", "(?i)no such file|does not exist"),
        (f"{place}={folder}key.pem", "(?i)certificate|no start line"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            build(to(wrong)).check()


@pytest.mark.fault("X15")
def test_a_server_without_tls_is_not_spoken_to_in_clear_text(
    mariadb_url: str, postgres_url: str, tmp_path: Path
) -> None:
    """Where certificates are asked for."""
    certificate = make_certificate(tmp_path)
    options = f"sslmode=verify-full&sslrootcert={certificate}"
    for url in (f"{mariadb_url}?ssl_ca={certificate}", f"{postgres_url}?{options}"):
        with pytest.raises(ConfigurationError, match="SSL"):
            build(to(url)).check()


def to(url: str) -> Connection:
    return Connection("database", "database", url=url)
