"""--explain: what a build says of why its steps ran, or did not."""
import shutil

from harness import test

DOCKERFILE = """
FROM busybox AS build
ARG VERSION=1
ARG API_TOKEN=none
COPY src /src
RUN cat /src/* > /out; echo $VERSION > /version
FROM busybox
COPY --from=build /out /
RUN wc -c /out > /count
"""


def whys(answer):
    """What was said of each step, by its name without the stage."""
    names, found = {}, {}
    for line in answer.text.splitlines():
        number, _, rest = line.partition(" ")
        if rest.startswith("["):
            names[number] = rest.partition("] ")[2]
        elif rest.startswith("why: "):
            found.setdefault(names[number], []).append(rest.removeprefix("why: "))
    return found


def explained(case, context, *options, dockerfile=DOCKERFILE):
    # One file for all builds: explanations compare within a Dockerfile.
    (context.parent / "Dockerfile").write_text(dockerfile)
    return whys(case.build(None, None, "--explain", "-f", context.parent / "Dockerfile", *options, context=context))


COPY, CAT = "COPY src /src", "RUN cat /src/* > /out; echo 1 > /version"
FROM, COUNT = "COPY --from=build /out /", "RUN wc -c /out > /count"


@test("the first build was never built before, the second is cached since then")
def first(case):
    context = case.context({"src/a": "a"})
    found = explained(case, context)
    assert [found[step] for step in (COPY, CAT, FROM, COUNT)] == [["never built before"]] * 4, found
    again = explained(case, context)
    assert all(again[step][0].startswith("nothing changed since it was built at 2") for step in (COPY, CAT, FROM, COUNT)), again
    case.build(None, None, "-f", context.parent / "Dockerfile", context=context).says_not("why:")


@test("changed, new, removed and renamed files of the context are named, and modes")
def files(case):
    context = case.context({"src/a": "a", "src/b": "b", "src/sub/c": "c", "src/run": "r"})
    explained(case, context)
    (context / "src/a").write_text("changed")
    (context / "src/new").write_text("n")
    (context / "src/b").rename(context / "src/z")
    shutil.rmtree(context / "src/sub")
    (context / "src/run").chmod(0o755)
    found = explained(case, context)
    assert sorted(found[COPY]) == ["src/a changed", "src/b renamed to src/z", "src/new added", "src/run: mode 0644 → 0755",
                                   "src/sub/ removed"], found
    assert found[CAT] == [f"an earlier step ran again: [build 1/3] {COPY}"], found
    assert found[FROM] == ["/out changed (in the stage 'build')"], found


@test("an argument is named with its values, unless its name says that it is a secret")
def arguments(case):
    context = case.context({"src/a": "a"})
    explained(case, context)
    found = explained(case, context, "--build-arg", "VERSION=2")
    assert found[CAT.replace("1", "2")] == ["ARG VERSION: '1' → '2'"], found
    # Early cut-off: the stage ran and gave the same files.
    assert found[FROM][0].startswith("the stage 'build' ran again and gave the same files"), found
    found = explained(case, context, "--build-arg", "VERSION=2", "--build-arg", "API_TOKEN=hunter2")
    assert found[CAT.replace("1", "2")] == ["ARG API_TOKEN changed"], found


@test("an instruction that changed, one that is new, and one that only moved")
def instructions(case):
    context = case.context({"src/a": "a"})
    explained(case, context)
    found = explained(case, context, dockerfile=DOCKERFILE.replace("wc -c", "wc -l"))
    assert found["RUN wc -l /out > /count"] == [
        "the instruction changed: 'RUN wc -c /out > /count' → 'RUN wc -l /out > /count'"], found
    found = explained(case, context, dockerfile=DOCKERFILE.replace("COPY src", "RUN echo new\nCOPY src"))
    assert found["RUN echo new"] == ["never built before: the instruction is new"], found
    assert found[COPY] == ["it now builds on [build 1/4] RUN echo new"], found


@test("--no-cache, another base image, and a heredoc")
def others(case):
    context = case.context({"src/a": "a"})
    explained(case, context)
    found = explained(case, context, "--no-cache")
    assert found[CAT] == ["--no-cache"], found
    found = explained(case, context, "--no-cache-filter", "build")
    assert found[CAT] == ["--no-cache-filter names its stage"], found
    script = "FROM busybox\nRUN <<EOF\necho {}\necho two\nEOF\n"
    explained(case, context, dockerfile=script.format("one"))
    found = explained(case, context, dockerfile=script.format("three"))
    assert any("changed" in reason for reason in sum(found.values(), [])), found


@test("secrets and proxy settings are not written down with what went into a step")
def secrets(case):
    context = case.context({"token": "t0psecret"})
    explained(case, context, "--secret", f"id=token,src={context / 'token'}", "--build-arg", "HTTP_PROXY=http://pr0xy:1",
              "--build-arg", "API_TOKEN=hunter2",
              dockerfile="FROM busybox\nARG API_TOKEN\nRUN --mount=type=secret,id=token cat /run/secrets/token\n")
    written = b"".join(path.read_bytes() for path in case.store.glob("whittle.db*"))
    assert written and all(word not in written for word in (b"t0psecret", b"pr0xy", b"hunter2"))
