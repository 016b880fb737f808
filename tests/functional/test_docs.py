# SPDX-License-Identifier: Apache-2.0
"""The manual pages, the completion and the schema that the build makes from the tables."""
import json
import re
import subprocess

import pytest

from harness import LOCKSTEP, ROOT

DOCS = LOCKSTEP.parent / "tools" / "gen_docs"


def table(path, pattern):
    """First columns of a .def table that fit the pattern."""
    found = re.findall(pattern, (ROOT / "src" / path).read_text(), re.M)
    assert found
    return found


COMMANDS = table("server/commands.def", r'^COMMAND\(\w+, "([^"]+)"')
OPTIONS = table("server/commands.def", r'^OPTION\(\w+, "([^"]+)"')
EVENTS = table("server/events.def", r'^EVENT\(\w+, "([^"]+)"')
COUNTERS = table("server/metrics.def", r'^METRIC\(\w+, "([^"]+)"')
SETTINGS = [setting for path in ("config/settings.def", "config/limits.def")
            for setting in table(path, r'^SETTING(?:_LIST)?\((\w+), "([^"]+)"')]


def run(*arguments, **more):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, **more)


def page(name):
    """A manual page as plain lines."""
    out = run("mandoc", "-T", "ascii", "-O", "width=200", DOCS / name)
    assert out.returncode == 0, out.stderr
    return re.sub(".\b", "", out.stdout)


def complete_bash(*words):
    script = ('compopt() { :; }; . "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lockstep; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    out = run("bash", "-c", script, DOCS / "lockstep", "lockstep", *words)
    assert out.returncode == 0 and out.stderr == "", out.stderr
    return out.stdout.split()


def complete_fish(line):
    out = run("fish", "--no-config", "-c", f"source {DOCS}/lockstep.fish; complete -C '{line}'")
    assert out.returncode == 0 and out.stderr == "", out.stderr
    return [row.split("\t")[0] for row in out.stdout.splitlines()]


def complete_zsh(*words):
    """The function of zsh with what zsh would give it; what it offers, one a line."""
    script = ("_describe() { print -rl -- ${(P)2%%:*}; }; _files() { print FILES; }; "
              "compadd() { shift; print -rl -- ${(M)@:#$words[CURRENT]*}; }; "
              'file=$1; shift; words=("$@"); CURRENT=$#; complete() { . $file; }; complete')
    out = run("zsh", "-f", "-c", script, "zsh", DOCS / "_lockstep", "lockstep", *words)
    assert out.returncode == 0 and out.stderr == "", out.stderr
    return out.stdout.split()


@pytest.mark.parametrize("name", ["lockstep.1", "lockstep.yaml.5"])
def test_a_page_is_right_in_the_eyes_of_mandoc(name):
    out = run("mandoc", "-T", "lint", "-W", "warning", DOCS / name)
    # A date would make two builds of the same tree differ.
    wrong = [line for line in out.stdout.splitlines() if "missing date" not in line]
    assert not wrong


def test_the_page_has_every_command_option_event_and_counter():
    text = page("lockstep.1")
    for word in [*COMMANDS, *OPTIONS, *EVENTS, *COUNTERS]:
        assert re.search(rf"^ +(-\w, )?{re.escape(word)}( |$)", text, re.M), word


def test_the_page_of_the_configuration_has_every_setting():
    text = page("lockstep.yaml.5")
    parts = dict(zip(*[iter(re.split(r"^   (\w.*)$", text, flags=re.M)[1:])] * 2))
    for chapter, key in SETTINGS:
        part = parts["Beside the sections" if chapter == "TOP" else chapter.lower()]
        assert re.search(rf"^       {re.escape(key)}( |$)", part, re.M), (chapter, key)


def test_the_schema_has_every_setting():
    schema = json.loads((DOCS / "lockstep.schema.json").read_text())["properties"]
    for chapter, key in SETTINGS:
        of = schema if chapter == "TOP" else next(
            one for one in schema[chapter.lower()]["anyOf"] if "properties" in one)["properties"]
        assert key in of, (chapter, key)


COMPLETERS = [complete_bash, complete_zsh,
              lambda *words: complete_fish("lockstep " + " ".join(words))]


@pytest.mark.parametrize("complete", COMPLETERS, ids=["bash", "zsh", "fish"])
def test_a_shell_completes_every_command(complete):
    for words in COMMANDS:
        *nouns, last = words.split()
        assert last in complete(*nouns, ""), words


@pytest.mark.parametrize("complete", COMPLETERS, ids=["bash", "zsh", "fish"])
def test_a_shell_completes_options_where_they_mean_something(complete):
    assert "--json" in complete("status", "--")
    assert "--force" in complete("zone", "refresh", "--")
    assert "--force" not in complete("zone", "reload", "--")
    assert "hmac-sha512" in complete("key", "generate", "--algorithm", "")
    assert "reload" in complete("-c", "some.yaml", "--json", "zone", "re")
    assert "limits.zone-size" in complete("config", "explain", "limits.z")


def test_scripts_are_clean_to_their_shells():
    for shell, name in [("bash", "lockstep"), ("zsh", "_lockstep"), ("fish", "lockstep.fish")]:
        out = run(shell, "-n", DOCS / name)
        assert (out.returncode, out.stderr) == (0, ""), out.stderr


def test_installed_files_stand_where_man_and_shells_look(tmp_path):
    out = run("meson", "install", "--no-rebuild", "--destdir", tmp_path, "-C", LOCKSTEP.parent)
    assert out.returncode == 0, out.stdout + out.stderr
    installed = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    prefix = "usr/local/"
    assert {prefix + "bin/lockstep", prefix + "share/man/man1/lockstep.1",
            prefix + "share/man/man5/lockstep.yaml.5",
            prefix + "share/bash-completion/completions/lockstep",
            prefix + "share/zsh/site-functions/_lockstep",
            prefix + "share/fish/vendor_completions.d/lockstep.fish"} <= installed


PAGES = [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_leads_somewhere(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)]+)\)", re.sub(r"\s+", " ", text)):
        file, _, anchor = target.partition("#")
        assert not file or (path.parent / file).exists(), target
        if anchor:
            assert not file, target
            headings = [re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                        for line in text.splitlines() if line.startswith("#")]
            assert anchor in headings, target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_that_a_page_names_exists(path):
    text = re.sub(r"`\n", "` ", path.read_text())
    shown = re.findall(r"^(?:build/)?lockstep ([a-z].*)$", text, re.M) + \
        re.findall(r"`lockstep\s([a-z][^`]*)`", text)
    for words in shown:
        assert any(re.match(rf"{command}\b", " ".join(words.split())) for command in COMMANDS), words


def test_the_guide_tells_what_to_do_about_every_error_and_warning():
    guide = (ROOT / "docs" / "guide.md").read_text()
    told = re.findall(r"`([a-z-]+)`", " ".join(
        row.split("|")[1] for row in re.findall(r"^\| `.*$", guide.split("## Logs")[1].split("\n## ")[0], re.M)))
    wrong = table("server/events.def", r'^EVENT\(\w+, "([^"]+)", (?:ERROR|WARNING)')
    assert set(wrong) <= set(told) <= set(EVENTS)


def test_the_guide_has_every_state():
    guide = (ROOT / "docs" / "guide.md").read_text()
    names = re.findall(r'\[ZONE_\w+\] = "(\w+)"', (ROOT / "src/server/keeper/status.c").read_text())
    assert len(names) > 3
    for name in names:
        assert f"\n| {name.upper()} |" in guide, name


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    for path in folder.glob("0*.md"):
        title = path.read_text().splitlines()[0].removeprefix(f"# {path.name[:4]} ")
        assert f"| [{path.name[:4]}]({path.name}) | {title} |" in index, path.name
