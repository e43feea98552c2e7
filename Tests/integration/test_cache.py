"""The cache: what is taken from it, and what never may be."""
import os
import time

from harness import test

DOCKERFILE = """
FROM busybox AS build
ARG UNUSED
COPY src /src
RUN cat /src/* > /out
FROM busybox
COPY --from=build /out /
RUN wc -c /out > /count
"""


@test("an unchanged build runs nothing")
def unchanged(case):
    context = case.context({"src/a": "a"})
    case.build(DOCKERFILE, context=context)
    again = case.build(DOCKERFILE, context=context)
    assert not again.ran("RUN cat") and not again.ran("RUN wc"), again.text
    assert again.cached_steps() >= 4, again.text


@test("new modification times alone change nothing")
def times(case):
    context = case.context({"src/a": "a"})
    case.build(DOCKERFILE, context=context)
    os.utime(context / "src/a", (1, 1))
    assert not case.build(DOCKERFILE, context=context).ran("RUN cat")


@test("changed content, mode or name runs what reads it")
def changed(case):
    context = case.context({"src/a": "a"})
    image = case.image(DOCKERFILE, context=context)
    assert image.read("/count") == "1 /out\n"
    (context / "src/a").write_text("ab")
    assert case.image(DOCKERFILE, context=context).read("/count") == "2 /out\n"
    (context / "src/a").chmod(0o600)
    assert case.build(DOCKERFILE, context=context).ran("RUN cat")
    (context / "src/a").rename(context / "src/b")
    assert case.build(DOCKERFILE, context=context).ran("RUN cat")


@test("content of the same size and modification time is noticed")
def same_size(case):
    context = case.context({"src/a": "1"})
    for number in range(2, 7):
        status = (context / "src/a").stat()
        image = case.image(DOCKERFILE, context=context)
        assert image.read("/out") == str(number - 1)
        (context / "src/a").write_text(str(number))
        os.utime(context / "src/a", ns=(status.st_atime_ns, status.st_mtime_ns))  # as a careless tool may
    assert case.image(DOCKERFILE, context=context).read("/out") == "6"


@test("a stage that ran again and made the same bytes does not invalidate what copies from it")
def early_cut_off(case):
    dockerfile = DOCKERFILE.replace("cat /src/* > /out", "cat /src/* | grep -v '^#' > /out")
    context = case.context({"src/a": "# old comment\ntext\n"})
    case.build(dockerfile, context=context)
    (context / "src/a").write_text("# new comment\ntext\n")
    again = case.build(dockerfile, context=context)
    assert again.ran("RUN cat") and not again.ran("RUN wc"), again.text


@test("a --build-arg that a step does not see does not invalidate it")
def unseen_argument(case):
    dockerfile = "FROM busybox\nRUN echo first\nARG V\nRUN echo second $V\n"
    context = case.context()
    case.build(dockerfile, {}, "--build-arg", "V=1", context=context)
    again = case.build(dockerfile, {}, "--build-arg", "V=2", context=context)
    assert not again.ran("RUN echo first") and again.ran("RUN echo second"), again.text


@test("a changed command invalidates itself and what follows, not what precedes")
def changed_command(case):
    case.build("FROM busybox\nRUN echo 1 > /a\nRUN echo 2 > /b\nRUN echo 3 > /c\n")
    again = case.build("FROM busybox\nRUN echo 1 > /a\nRUN echo two > /b\nRUN echo 3 > /c\n")
    assert not again.ran("RUN echo 1") and again.ran("RUN echo two") and again.ran("RUN echo 3"), again.text


@test("--no-cache runs every step")
def no_cache(case):
    case.build("FROM busybox\nRUN date +%s%N > /t\n")
    assert case.build("FROM busybox\nRUN date +%s%N > /t\n", {}, "--no-cache").ran("RUN date")


@test("--no-cache-filter runs the steps of one stage")
def no_cache_filter(case):
    dockerfile = ("FROM busybox AS one\nRUN echo 1 > /1\nFROM busybox AS two\nRUN echo 2 > /2\n"
                  "FROM scratch\nCOPY --from=one /1 /\nCOPY --from=two /2 /\n")
    case.build(dockerfile)
    again = case.build(dockerfile, {}, "--no-cache-filter", "two")
    assert not again.ran("RUN echo 1") and again.ran("RUN echo 2"), again.text


@test("a new base image invalidates what stands on it")
def new_base(case):
    import layout
    for number in (1, 2):
        base = layout.BaseImage.of(
            case.directory / f"base{number}", [layout.busybox_layer() + [layout.file("version", str(number).encode())]])
        image = case.image("FROM base\nRUN cat /version > /seen\n", {}, "--build-context",
                           f"base=oci-layout://{base.directory}")
        assert image.read("/seen") == str(number)


@test("a .dockerignore that hides another file changes what is copied")
def ignore_changes(case):
    context = case.context({"src/a": "a", "notes.txt": "n"})
    dockerfile = "FROM busybox\nCOPY . /c\nRUN ls /c > /list\n"
    assert "notes.txt" in case.image(dockerfile, context=context).read("/list")
    (context / ".dockerignore").write_text("notes.txt\n.dockerignore\n")
    assert case.image(dockerfile, context=context).read("/list") == "src\n"


@test("equal steps in two stages run once")
def equal_steps(case):
    step = "RUN --mount=type=cache,id=count,target=/c echo x >> /c/runs; sleep 0.2; cat /c/runs > /runs\n"
    image = case.image(f"FROM busybox AS one\n{step}FROM busybox AS two\n{step}"
                       "FROM scratch\nCOPY --from=one /runs /1\nCOPY --from=two /runs /2\n")
    assert (image.read("/1"), image.read("/2")) == ("x\n", "x\n")


@test("equal file systems give equal layers, from empty stores and for any number of jobs")
def determinism(case):
    context = case.context({f"d{n}/f{m}": f"{n}{m}" * 1000 for n in range(5) for m in range(20)})
    dockerfile = "FROM busybox\nCOPY . /files\n"
    digests = []
    for number, jobs in enumerate(("1", "8")):
        image = case.image(dockerfile, {}, "--jobs", jobs, context=context, store=case.directory / f"store-{number}")
        digests.append([layer["digest"] for layer in image.layers])
        time.sleep(1.1)
    assert digests[0] == digests[1], digests


@test("a second process in the same store takes what the first one made")
def second_process(case):
    first = case.build("FROM busybox\nRUN echo expensive > /e\n")
    assert first.ran("RUN echo expensive")
    assert not case.build("FROM busybox\nRUN echo expensive > /e\n").ran("RUN echo expensive")
