# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/examples work as they stand."""
import base64
import json
import secrets
import shutil

import jsonschema
import pytest
import yaml

from harness import LOCKSTEP, ROOT, command

EXAMPLES = ROOT / "docs" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.yaml"))
SCHEMA = LOCKSTEP.parent / "tools" / "gen_docs" / "lockstep.schema.json"


@pytest.fixture
def folder(tmp_path):
    """A copy of the examples with the key that they ask for."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    (folder / "keys").mkdir()
    key = folder / "keys" / "pair"
    key.touch(mode=0o640)
    key.write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    return folder


def test_there_are_examples():
    assert {"primary.yaml", "secondary.yaml", "chain.yaml", "many-zones.yaml"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_right_configuration(folder, name):
    result = command("config", "check", folder / name, "--json")
    assert json.loads(result.stdout) == {"good": True, "diagnostics": []}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_yaml_to_others_and_fits_the_schema(name):
    value = yaml.safe_load((EXAMPLES / name).read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(value)


def test_the_schema_finds_a_mistake():
    schema = json.loads(SCHEMA.read_text())
    for wrong in ({"zones": [{"name": "example.com", "rolle": "primary"}]},
                  {"zones": [{"name": "example.com", "role": "master"}]},
                  {"servers": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_an_exported_example_is_the_same_policy(folder, name):
    exported = command("config", "export", folder / name, "--json").stdout
    config = json.loads(exported)
    assert {zone["name"] for zone in config["zones"]} == {
        zone["name"] for zone in yaml.safe_load((EXAMPLES / name).read_text())["zones"]}


def test_the_zone_file_of_the_primary_is_a_zone():
    command("check", EXAMPLES / "example.com.zone", "--origin", "example.com")


def test_an_example_without_its_key_says_what_is_missing(tmp_path):
    shutil.copy(EXAMPLES / "primary.yaml", tmp_path)
    result = command("config", "check", tmp_path / "primary.yaml", check=False)
    assert result.returncode == 1 and "keys/pair" in result.stderr
