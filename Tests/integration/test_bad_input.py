"""Dockerfiles and ignore files that mean harm: an error or an answer, soon, in little memory, and never a crash."""
import os
import resource
import subprocess
import time

import bad_input
from harness import WHITTLE, test

# 1 is the full size: `BAD_INPUT_SIZE=1` with a release build. What a debug build does in the same time is a small part of it.
SIZE = float(os.environ.get("BAD_INPUT_SIZE", "0.001"))
SECONDS = 20
MEMORY = 2 << 30


def ask(case, what, *arguments):
    """Runs whittle with limits; its status is 0 or 1, and with 1 it says an error with a code or findings."""
    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    began = time.monotonic()
    try:
        answer = subprocess.run([WHITTLE, *map(str, arguments)], capture_output=True, timeout=SECONDS, preexec_fn=limit,
                                cwd=case.directory)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{what}: not done after {SECONDS} s: {arguments[:2]}")
    case.log.append(f"{what}: {time.monotonic() - began:.2f} s, {answer.returncode}: {answer.stderr[:300]!r}\n")
    assert answer.returncode in (0, 1), f"{what}: status {answer.returncode}: {answer.stderr[-2000:]!r}"
    if answer.returncode:
        assert b"error[" in answer.stderr or b"warning" in answer.stdout or b'"buildError"' in answer.stdout \
            or b'"warnings"' in answer.stdout or b'"rejected"' in answer.stdout, f"{what}: failed without a word: {answer}"


@test("every hostile Dockerfile is read or refused by parse, check, outline and targets")
def dockerfiles(case):
    context = case.context()
    for what, data in bad_input.dockerfiles(SIZE):
        path = context / "Dockerfile"
        path.write_bytes(data)
        ask(case, what, "parse", path)
        ask(case, what, "parse", "--json", path)
        for method in ("check", "outline", "targets", "check,format=json"):
            ask(case, what, "build", f"--call={method}", context)


@test("every hostile ignore file is read or refused")
def ignore_files(case):
    context = case.context({"Dockerfile": "FROM scratch\nCOPY " + "a/" * 200 + " /\nCOPY . /\n", "a/b/c": "", "x": ""})
    for what, data in bad_input.ignore_files(SIZE):
        (context / ".dockerignore").write_bytes(data)
        ask(case, what, "build", "--check", context)
        ask(case, what, "build", "--root", case.store, "-o", "type=cacheonly", context)


@test("hostile Dockerfiles that build nothing are refused or built, too")
def builds(case):
    for what, data in bad_input.dockerfiles(SIZE):
        if b"RUN" in data or b"COPY" in data or what == "nothing":
            continue
        context = case.context({"Dockerfile": data})
        ask(case, what, "build", "--root", case.store, "-o", "type=cacheonly", context)


@test("10,000 variables inside each other and 100,000 keywords in a row are refused by name")
def depth(case):
    deep = "FROM scratch\nENV A=" + "${a:-" * 10_000 + "x" + "}" * 10_000 + "\n"
    case.fails(deep, {}, "-o", "type=cacheonly").says("error[")
    case.build("FROM scratch\n" + "ONBUILD " * 1_000 + "RUN a\n", {}, "-o", "type=cacheonly", status=None).says("ONBUILD")
