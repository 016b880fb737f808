# SPDX-License-Identifier: Apache-2.0
"""`lockstep limits`: every cap has a name."""
import json
import re

from harness import ROOT, command

ROW = re.compile(r'^(?:LIMIT\(|SETTING\(LIMITS, )"([a-z0-9-]+)"', re.M)


def rows_of_the_tree():
    return [name for path in sorted((ROOT / "src").rglob("*limits.def"))
            for name in ROW.findall(path.read_text())]


def limits(*arguments, **more):
    return {row["name"]: row for row in json.loads(
        command("limits", "--json", *arguments, **more).stdout)["limits"]}


def test_every_row_of_every_layer_is_listed(tmp_path):
    rows = rows_of_the_tree()
    assert len(rows) > 50 and len(set(rows)) == len(rows)
    nothing = {"LOCKSTEP_CONFIG": str(tmp_path / "none.yaml")}
    assert sorted(limits(env=nothing)) == sorted(rows)
    table = command("limits", env=nothing).stdout.splitlines()
    assert [line.split()[0] for line in table[1:]] == list(limits(env=nothing))


def test_a_value_that_is_set_is_told_as_set(tmp_path):
    config = tmp_path / "lockstep.yaml"
    config.write_text("limits: {tcp-connections: 500, zone-size: 64M, tcp-idle: 20s}\n")
    told = limits("-c", str(config))
    assert (told["tcp-connections"]["value"], told["tcp-connections"]["from"]) == (500, "set")
    assert (told["zone-size"]["value"], told["zone-size"]["unit"]) == (64 << 20, "octets")
    assert (told["tcp-idle"]["value"], told["tcp-idle"]["unit"]) == (20 * 10**9, "ns")
    assert told["transfers-in"]["from"] == "default"
    assert told["tsig-unsigned"]["from"] == "fixed"
    assert re.search(r"^zone-size +64M +set ", command("limits", "-c", str(config)).stdout, re.M)


def test_a_configuration_with_an_error_is_shown_and_no_limits(tmp_path):
    config = tmp_path / "lockstep.yaml"
    config.write_text("limits: {tcp-connectoins: 500}\n")
    result = command("limits", "-c", str(config), check=False)
    assert result.returncode == 1 and result.stdout == ""
    assert "tcp-connections" in result.stderr  # did you mean
