# SPDX-License-Identifier: Apache-2.0
"""The tools that keep the house pass on the tree, and fail where a rule is broken."""
import os
import shutil
import subprocess

import pytest

from harness import LOCKSTEP, ROOT

TOOLS = ROOT / "tools"
CC = os.environ.get("CC", "cc")


def run(*arguments, **more):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, **more)


@pytest.fixture
def source(tmp_path):
    """A folder with the rules of src and nothing in it."""
    folder = tmp_path / "src"
    for layer in ("base", "dns", "engine", "host"):
        (folder / layer).mkdir(parents=True)
    shutil.copy(ROOT / "src" / "LAYERS", folder)
    (folder / "base" / "span.h").touch()
    (folder / "host" / "clock.h").touch()
    return folder


def test_the_tree_keeps_to_its_layers():
    assert run(TOOLS / "check_layers").returncode == 0


@pytest.mark.parametrize("path, line, said", [
    ("engine/bad.c", '#include "host/clock.h"', "engine may not include host/clock.h"),
    ("host/bad.h", '#  include "dns/name.h"', "dns/name.h is not a path from src/"),
    ("dns/bad.def", '#include "host/clock.h"', "dns may not include host/clock.h"),
    ("other/bad.c", "", "folder other is not in LAYERS"),
])
def test_an_include_that_layers_forbid_is_found(source, path, line, said):
    good = source / "engine" / "good.c"
    good.write_text('#include "base/span.h"\n#include <stdio.h>\n')
    assert run(TOOLS / "check_layers", source).returncode == 0
    bad = source / path
    bad.parent.mkdir(exist_ok=True)
    bad.write_text(f"{line}\n")
    result = run(TOOLS / "check_layers", source)
    assert result.returncode == 1 and said in result.stdout
    assert path.split("/")[-1] in result.stdout and "good.c" not in result.stdout


def test_the_tree_keeps_to_its_sizes():
    assert run(TOOLS / "check_size").returncode == 0


@pytest.mark.parametrize("text, said", [
    ("void f(void)\n{\n" + "\tg();\n" * 71 + "}\n", "a function of 72 lines, at most 70"),
    ("struct s {\n" + "".join(f"\tint m{i};\n" for i in range(26)) + "};\n",
     "struct s has 26 members, at most 25"),
    ("int n;\n" * 801, "801 lines, at most 800"),
    ("int " + "n" * 97 + ";\n", "102 columns, at most 100"),
])
def test_what_is_too_long_is_found(source, text, said):
    (source / "engine" / "good.c").write_text("void f(void)\n{\n" + "\tg();\n" * 60 + "}\n")
    assert run(TOOLS / "check_size", source).returncode == 0
    (source / "engine" / "bad.c").write_text(text)
    result = run(TOOLS / "check_size", source)
    assert result.returncode == 1 and said in result.stdout and "good.c" not in result.stdout


def test_the_pure_layers_of_the_build_are_pure():
    result = run(TOOLS / "check_pure", LOCKSTEP.parent)
    assert result.returncode == 0, result.stdout
    for layer in ("base", "dns", "zone", "engine"):
        assert layer in result.stdout


@pytest.mark.parametrize("call, symbol", [
    ("struct timespec t; clock_gettime(CLOCK_REALTIME, &t); return t.tv_nsec;", "clock_gettime"),
    ("return (long)malloc(7);", "malloc"),
    ("return rand();", "rand"),
    ("return socket(1, 2, 3);", "socket"),
    ("return puts(\"said\");", "puts"),
    ("return errno;", "__errno_location"),
])
def test_a_call_that_is_not_pure_is_found(tmp_path, call, symbol):
    program = tmp_path / "planted.c"
    program.write_text("#include <errno.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
                       "#include <sys/socket.h>\n#include <time.h>\n"
                       f"long planted(void);\nlong planted(void) {{ {call} }}\n")
    planted = tmp_path / "planted.o"
    assert run(CC, "-D_GNU_SOURCE", "-c", "-o", planted, program).returncode == 0
    result = run(TOOLS / "check_pure", LOCKSTEP.parent, f"engine={planted}")
    assert result.returncode == 1
    assert f"engine: planted.o calls {symbol}" in result.stdout


def test_nobody_but_the_arena_may_allocate(tmp_path):
    for name, status in (("arena.c.o", 0), ("other.c.o", 1)):
        program = tmp_path / "program.c"
        program.write_text("#include <stdlib.h>\nvoid *p(void);\nvoid *p(void) { return malloc(7); }\n")
        assert run(CC, "-c", "-o", tmp_path / name, program).returncode == 0
        result = run(TOOLS / "check_pure", LOCKSTEP.parent, f"base={tmp_path / name}")
        assert ("calls malloc" in result.stdout) == bool(status), result.stdout


@pytest.fixture
def tree(tmp_path):
    """A tree with the formatter and one file in order."""
    for folder in ("src", "tests", "tools"):
        (tmp_path / folder).mkdir()
    shutil.copy(TOOLS / "format", tmp_path / "tools")
    shutil.copy(ROOT / ".clang-format", tmp_path)
    (tmp_path / "src" / "good.c").write_text("int f(void)\n{\n\treturn 1;\n}\n")
    return tmp_path


def test_a_file_that_is_not_formatted_is_found_and_not_touched(tree):
    assert run(tree / "tools" / "format", "--check").returncode == 0
    text = "int  g( void ) { return 2; }\n"
    (tree / "tests" / "bad.h").write_text(text)
    result = run(tree / "tools" / "format", "--check")
    assert result.returncode != 0 and "tests/bad.h" in result.stderr
    assert (tree / "tests" / "bad.h").read_text() == text


def test_the_formatter_formats(tree):
    (tree / "src" / "bad.c").write_text("int  g( void ) { return 2; }\n")
    assert run(tree / "tools" / "format").returncode == 0
    assert (tree / "src" / "bad.c").read_text() == "int g(void)\n{\n\treturn 2;\n}\n"
    assert run(tree / "tools" / "format", "--check").returncode == 0


@pytest.mark.parametrize("text, said", [
    ("static void f(void)\n{\n" + "\tg();\n" * 70 + "}\n", "a function of 71 lines"),
    ("struct big {\n" + "\tint a, b;\n" * 13 + "};\n", "struct big has 26 members"),
    ("int x;\n" * 801, "801 lines, at most 800"),
    ("/* " + "x" * 100 + " */\n", "columns, at most 100"),
])
def test_what_is_larger_than_a_sitting_is_found(source, text, said):
    assert run(TOOLS / "check_size", source).returncode == 0
    (source / "base" / "large.c").write_text(text)
    result = run(TOOLS / "check_size", source)
    assert result.returncode == 1 and said in result.stdout


def test_the_tree_is_within_a_sitting():
    assert run(TOOLS / "check_size").returncode == 0


@pytest.fixture
def fuzzing(tmp_path):
    """A tree whose fuzz targets are built already, as scripts: one that finds nothing, one
    that does, and one behind it."""
    (tmp_path / "tools").mkdir()
    shutil.copy(TOOLS / "fuzz", tmp_path / "tools")
    programs = tmp_path / "build-fuzz" / "tests" / "fuzz"
    programs.mkdir(parents=True)
    lines = ["rule none", "  command = true"]
    for name, script in (("a_good", "echo stat::number_of_executed_units: 7\n"),
                         ("b_bad", "echo SUMMARY: planted\nexit 77\n"),
                         ("c_good", "echo stat::number_of_executed_units: 9\n")):
        corpus = tmp_path / "tests" / "fuzz" / "corpus" / name
        corpus.mkdir(parents=True)
        (corpus / "seed").write_text("seed")
        (tmp_path / "tests" / "fuzz" / f"fuzz_{name}.c").touch()
        program = programs / f"fuzz_{name}"
        program.write_text("#!/bin/sh\n" 'printf "%s\\n" "$@" >"$0.arguments"\n' + script)
        program.chmod(0o755)
        lines.append(f"build tests/fuzz/fuzz_{name}: none")
    (tmp_path / "build-fuzz" / "build.ninja").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_fuzzing_stops_at_the_first_finding_and_shows_it(fuzzing):
    result = run(fuzzing / "tools" / "fuzz", "1")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "fuzz a_good: 1 s, 7 runs, no finding",
        "SUMMARY: planted",
        "fuzz b_bad: a finding, kept in build-fuzz/findings"]


def test_fuzzing_runs_what_is_named_and_keeps_the_corpus(fuzzing):
    result = run(fuzzing / "tools" / "fuzz", "3", "c_good", "a_good")
    assert result.returncode == 0, result.stderr
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["fuzz c_good", "fuzz a_good"]
    arguments = (fuzzing / "build-fuzz/tests/fuzz/fuzz_a_good.arguments").read_text().split()
    assert "-max_total_time=3" in arguments
    # libFuzzer writes to the first folder, and only reads the others.
    scratch, corpus = [word for word in arguments if not word.startswith("-")]
    assert corpus == "tests/fuzz/corpus/a_good" and "corpus" not in scratch


@pytest.mark.parametrize("arguments", [[], ["0"], ["x"], ["1", "none"]])
def test_fuzzing_wants_seconds_and_targets_that_exist(fuzzing, arguments):
    assert run(fuzzing / "tools" / "fuzz", *arguments).returncode == 2


@pytest.fixture
def landing(tmp_path):
    """A tree with .ci/run, in which `make test` and the sanitizers' tests are scripts."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    scripts = {
        "tools/setup": "",
        "bin/make": 'printf "Ok:                 5\\nFail:               0\\n" '
                    '&& echo "4 passed in 1.50s"',
        "bin/meson": 'if [ "$1" = setup ]; then mkdir -p "$2"; touch "$2/build.ninja" "$2/lockstep";'
                     ' chmod +x "$2/lockstep"; else printf "Ok:      3\\nTimeout:   0\\n"; fi',
        "bin/ninja": "",
        "bin/env": 'echo "2 passed, 1 skipped in 61.00s (0:01:01)"',
    }
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    def go(**changed):
        for name, script in changed.items():
            (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        return run("/bin/bash", tmp_path / ".ci" / "run", env={**os.environ, "PATH": path})

    return go


def test_landing_sums_up_what_passed(landing):
    result = landing()
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1] == f"{5 + 4 + 2 * (3 + 2)} passed, 0 failed"


@pytest.mark.parametrize("changed, last", [
    ({"make": 'echo "Ok:      5"; echo "Fail:    2"; exit 1'}, "15 passed, 2 failed"),
    ({"make": 'echo "Ok: 5"; echo "Timeout: 1"; exit 1'}, "15 passed, 1 failed"),
    ({"env": 'echo "1 failed, 8 passed, 2 errors in 3.00s"; exit 1'}, "31 passed, 6 failed"),
    ({"make": "echo no rule; exit 2"}, "10 passed, 1 failed"),
    ({"ninja": "exit 1"}, "19 passed, 2 failed"),
])
def test_landing_fails_when_anything_failed(landing, changed, last):
    result = landing(**changed)
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == last
