# SPDX-License-Identifier: Apache-2.0
"""Our configurations are YAML to others: each example loads in PyYAML and in ours, and
means the same; what we export, PyYAML reads as the JSON of it."""
import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("LOCKSTEP_BUILD", ROOT / "build"))
REPRINT = BUILD / "tests/interop/config_reprint"
SECTIONS = ["server", "keys", "remotes", "acls", "templates", "zones", "limits", "include"]


def examples():
    """Files named *.yaml, and what stands between ```yaml and ``` in the documentation."""
    for folder in ("docs", "packaging", "tests/interop/configs"):
        for path in sorted((ROOT / folder).rglob("*.yaml")):
            yield pytest.param(path.read_text(), id=str(path.relative_to(ROOT)))
        for path in sorted((ROOT / folder).rglob("*.md")):
            blocks = re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.S | re.M)
            for number, block in enumerate(blocks, 1):
                yield pytest.param(block, id=f"{path.relative_to(ROOT)}-{number}")


def reprint(text, form):
    run = subprocess.run([REPRINT, form], input=text.encode(), capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode()


def items(loaded, section):
    value = loaded.get(section) or []
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("text", examples())
def test_an_example_means_the_same_to_others(text):
    theirs = yaml.safe_load(text) or {}
    ours = json.loads(reprint(text, "json"))
    assert set(theirs) <= set(SECTIONS)
    for section in ("keys", "remotes", "zones"):
        names = sorted(str(item["name"]).lower().rstrip(".") for item in items(theirs, section))
        assert names == sorted(item["name"].lower().rstrip(".") for item in items(ours, section))
    for key, value in (theirs.get("limits") or {}).items():
        assert str(ours["limits"][key]) == str(value)


@pytest.mark.parametrize("text", examples())
def test_an_export_is_the_same_in_both_forms(text):
    assert yaml.safe_load(reprint(text, "yaml")) == json.loads(reprint(text, "json"))


@pytest.mark.parametrize("text", examples())
def test_an_export_exports_as_itself(text):
    once = reprint(text, "yaml")
    assert reprint(once, "yaml") == once
    assert reprint(reprint(text, "json"), "yaml") == once
