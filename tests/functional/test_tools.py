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
