# SPDX-License-Identifier: Apache-2.0
import pytest

from harness import Server, free_port

KEY = {"name": "xfer", "secret": "bG9ja3N0ZXAtdGVzdC1rZXktMzItb2N0ZXRzLWxvbmc="}

ZONE = """\
$TTL 3600
@       IN SOA ns1 hostmaster 1 3600 600 86400 300
        IN NS  ns1
        IN NS  ns2
ns1     IN A   192.0.2.1
ns2     IN A   192.0.2.2
www     IN A   192.0.2.80
"""


@pytest.fixture
def servers(tmp_path):
    """Makes servers; ends all of them when the test ends."""
    made = []

    def make(config, name="server", **more):
        server = Server(tmp_path / name, config, name=name, **more)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def pair(servers, tmp_path):
    """A primary with a zone file and its secondary, TSIG between them; both run."""
    ports = free_port(), free_port()
    zone_file = tmp_path / "example.org.zone"
    zone_file.write_text(ZONE)
    primary = servers({
        "keys": [KEY],
        "remotes": [{"name": "west", "address": f"127.0.0.1@{ports[1]}", "keys": "xfer"}],
        "zones": [{"name": "example.org", "role": "primary", "file": str(zone_file),
                   "secondaries": "west"}],
    }, name="primary", port=ports[0])
    secondary = servers({
        "keys": [KEY],
        "remotes": [{"name": "east", "address": f"127.0.0.1@{ports[0]}", "keys": "xfer"}],
        "zones": [{"name": "example.org", "role": "secondary", "primaries": "east"}],
    }, name="secondary", port=ports[1])
    primary.zone_file = zone_file
    primary.start()
    secondary.start()
    return primary, secondary
