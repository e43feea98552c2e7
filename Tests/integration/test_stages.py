"""Stages: which are built, what passes between them, and what the image says of itself."""
from harness import test

TWO_STAGES = """
FROM busybox AS build
WORKDIR /src
COPY app.txt .
RUN tr a-z A-Z < app.txt > /out.txt
FROM scratch
COPY --from=build /out.txt /
CMD ["/out.txt"]
"""


@test("a multi-stage build carries over only what is copied")
def multi_stage(case):
    image = case.image(TWO_STAGES, {"app.txt": "hello\n"})
    assert image.read("/out.txt") == "HELLO\n"
    assert sorted(image.tree()) == ["out.txt"]
    assert len(image.layers) == 1


@test("a stage that nothing needs is not built")
def unneeded_stage(case):
    image = case.image("FROM busybox AS broken\nRUN exit 7\nFROM busybox AS good\nRUN echo ok > /ok\n")
    assert image.read("/ok") == "ok\n"
    case.answer.says_not("exit 7")


@test("--target builds an earlier stage")
def target(case):
    image = case.image("FROM busybox AS one\nRUN echo 1 > /n\nFROM busybox AS two\nRUN echo 2 > /n\n", {}, "--target", "one")
    assert image.read("/n") == "1\n"


ALSO = """
FROM busybox AS app
RUN echo app > /app
FROM app AS tests
RUN test -f /app && echo tested > /report
FROM app AS lint
RUN grep -q APP /app
FROM scratch AS release
COPY --from=app /app /
"""


@test("--also builds further stages with the target and adds nothing to the image")
def also(case):
    plain = case.image(ALSO, {})
    case.answer.says_not("echo tested")
    image = case.image(ALSO, {}, "--also", "tests")
    assert case.answer.ran("echo tested"), case.answer.text
    assert image.descriptor["digest"] == plain.descriptor["digest"]
    assert sorted(image.tree()) == ["app"]
    named = case.image(ALSO, {}, "--target", "app", "--also", "tests", "--also", "release")
    assert "report" not in named.tree() and named.read("/app") == "app\n"


@test("the build fails with a stage of --also, and an unknown one is refused before anything runs")
def also_fails(case):
    case.fails(ALSO, {}, "--also", "tests", "--also", "lint").says("grep -q APP /app", "step-failed")
    case.fails(ALSO, {}, "--also", "test").says("unknown-target", "no stage is named 'test'", "did you mean 'tests'?")


@test("stages of --also run side by side with the target")
def also_side_by_side(case):
    # Each waits for a file of the other in a cache directory that both see; one after the other would never end.
    step = "RUN --mount=type=cache,target=/c,id={} touch /c/{} && for i in $(seq 100); do test -f /c/{} && exit 0; sleep 0.1; done; exit 1"
    mark = case.directory.name
    dockerfile = (f"FROM busybox AS one\n{step.format(mark, 'one', 'two')}\n"
                  f"FROM busybox AS two\n{step.format(mark, 'two', 'one')}\n")
    case.build(dockerfile, {}, "--also", "one")


@test("a stage is copied from by number, and a stage starts from a stage")
def by_number(case):
    image = case.image("FROM busybox\nRUN echo 0 > /zero\nFROM busybox AS base\nRUN echo b > /b\nFROM base\nCOPY --from=0 /zero /\n")
    assert (image.read("/zero"), image.read("/b")) == ("0\n", "b\n")


@test("COPY --from takes an image and a named context")
def from_elsewhere(case):
    other = case.context({"data/x.txt": "from a directory"})
    image = case.image("FROM scratch\nCOPY --from=busybox /etc/passwd /\nCOPY --from=other data/ /\n", {},
                       "--build-context", f"other={other}")
    assert image.read("/passwd").startswith("root:")
    assert image.read("/x.txt") == "from a directory"


@test("a named context takes the place of a stage")
def context_for_stage(case):
    other = case.context({"f": "replaced"})
    image = case.image("FROM busybox AS deps\nRUN exit 1\nFROM scratch\nCOPY --from=deps f /\n", {},
                       "--build-context", f"deps={other}")
    assert image.read("/f") == "replaced"


@test("a tag of an OCI layout may be a whole name")
def layout_tags(case):
    import layout
    base = layout.BaseImage(case.directory / "images")
    for name in ("node:16", "node:18"):
        base.finish([base.add_image([[layout.file("version", name.encode())]])], tag=name)
    image = case.image("FROM base\n", {}, "--build-context", f"base=oci-layout://{base.directory}:node:18")
    assert image.read("/version") == "node:18"


@test("ARG before FROM, in stages, with defaults and --build-arg")
def arguments(case):
    dockerfile = """
ARG BASE=nothing
ARG GLOBAL=global
FROM $BASE
ARG GLOBAL
ARG OWN=default
ARG SHOUT=${OWN:+set}
ENV SEEN="$GLOBAL $OWN ${MISSING:-fallback}"
RUN echo "$SEEN $SHOUT" > /seen
"""
    image = case.image(dockerfile, {}, "--build-arg", "BASE=busybox", "--build-arg", "OWN=given")
    assert image.read("/seen") == "global given fallback set\n"
    assert "SEEN=global given fallback" in image.config["config"]["Env"]
    assert not any("OWN=" in each for each in image.config["config"]["Env"])


@test("--build-arg without a value takes it from the environment")
def argument_from_environment(case):
    image = case.image("FROM busybox\nARG FROM_OUTSIDE\nRUN echo $FROM_OUTSIDE > /v\n", {}, "--build-arg",
                       "FROM_OUTSIDE", env={"FROM_OUTSIDE": "yes"})
    assert image.read("/v") == "yes\n"


@test("--platform chooses the base image and sets the platform arguments")
def platform(case):
    dockerfile = """
FROM --platform=$BUILDPLATFORM busybox AS build
ARG TARGETPLATFORM
ARG TARGETARCH
ARG TARGETVARIANT
ARG BUILDARCH
RUN echo "$TARGETPLATFORM $TARGETARCH $TARGETVARIANT $BUILDARCH" > /said
FROM busybox
COPY --from=build /said /
"""
    image = case.image(dockerfile, {}, "--platform", "linux/arm64")
    assert image.config["architecture"] == "arm64"
    said = image.read("/said").split()
    assert said[:2] == ["linux/arm64", "arm64"] and said[-1] == "amd64", said


@test("the configuration has what the instructions say")
def configuration(case):
    dockerfile = """
FROM busybox
MAINTAINER someone@example.org
LABEL a=1 "b c"="d e"
ENV X=1 Y="two words"
WORKDIR /one
WORKDIR two
USER builder
EXPOSE 80 443/tcp 53/udp
VOLUME ["/data"]
STOPSIGNAL SIGUSR1
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=5s --timeout=3s --retries=2 CMD wget -q localhost
ENTRYPOINT ["echo"]
CMD hello there
"""
    image = case.image(dockerfile)
    config = image.config["config"]
    assert config["Labels"] == {"a": "1", "b c": "d e"}
    assert config["WorkingDir"] == "/one/two"
    assert config["User"] == "builder"
    assert set(config["ExposedPorts"]) == {"80/tcp", "443/tcp", "53/udp"}
    assert set(config["Volumes"]) == {"/data"}
    assert config["StopSignal"] == "SIGUSR1"
    assert config["Entrypoint"] == ["echo"]
    assert config["Cmd"] == ["/bin/sh", "-ec", "hello there"]
    health = config["Healthcheck"]
    assert health["Test"] == ["CMD-SHELL", "wget -q localhost"]
    assert (health["Interval"], health["Timeout"], health["Retries"]) == (5_000_000_000, 3_000_000_000, 2)
    assert {"X=1", "Y=two words"} <= set(config["Env"])
    assert image.config["author"] == "someone@example.org"
    assert image.config["os"] == "linux" and image.config["created"]


@test("history has an entry for each instruction and marks those without a layer")
def history(case):
    image = case.image("FROM busybox\nENV A=1\nRUN echo x > /x\nCOPY f /f\nCMD [\"sh\"]\n", {"f": "f"})
    own = image.config["history"][1:]
    assert [entry.get("empty_layer", False) for entry in own] == [True, False, False, True], own
    assert "RUN /bin/sh -c echo x > /x" in own[1]["created_by"]
    assert "COPY f /f" in own[2]["created_by"]
    filled = [entry for entry in image.config["history"] if not entry.get("empty_layer")]
    assert len(filled) == len(image.layers) == len(image.config["rootfs"]["diff_ids"])


@test("ONBUILD runs in the stage that starts from the image")
def onbuild(case):
    image = case.image("FROM busybox AS parent\nONBUILD COPY f /from-parent\nONBUILD RUN echo ran > /ran\nFROM parent\nRUN true\n",
                       {"f": "child's file"})
    assert image.read("/from-parent") == "child's file"
    assert image.read("/ran") == "ran\n"
    assert not image.config["config"].get("OnBuild")


@test("ONBUILD stays in the configuration of the image that declares it")
def onbuild_kept(case):
    image = case.image("FROM busybox\nONBUILD RUN echo later\n")
    assert image.config["config"]["OnBuild"] == ["RUN echo later"]


@test("independent stages run at the same time")
def parallel(case):
    # Each waits for the other through a shared cache mount: one after the other, neither would end.
    wait = "for i in $(seq 100); do [ -e /meet/{0} ] && exit 0; sleep 0.1; done; exit 1"
    step = "FROM busybox AS {1}\nRUN --mount=type=cache,id=meet,target=/meet touch /meet/{1}; " + wait + "\n"
    case.build(step.format("two", "one") + step.format("one", "two")
               + "FROM scratch\nCOPY --from=one /etc/passwd /1\nCOPY --from=two /etc/passwd /2\n", {}, "--jobs", "2")


@test("FROM takes gzip, zstd, plain and Docker layers")
def media_types(case):
    import layout
    for name, packing, docker in (("gzip", layout.GZIP, False), ("zstd", layout.ZSTD, False),
                                  ("plain", layout.PLAIN, False), ("docker", layout.DOCKER_GZIP, True)):
        base = layout.BaseImage.of(case.directory / name, [[layout.file("f", name.encode())]], packing=packing, docker=docker)
        image = case.image("FROM base\nCOPY g /\n", {"g": "g"}, "--build-context", f"base=oci-layout://{base.directory}")
        assert image.read("/f") == name


@test("whiteouts, opaque directories, hard links and device nodes of a base image are obeyed")
def base_layers(case):
    import layout
    first = layout.busybox_layer() + [
        layout.directory("d"), layout.file("d/old", b"old"), layout.file("gone", b"gone"), layout.file("kept", b"kept"),
        layout.directory("tree"), layout.file("tree/x", b"x"),
    ]
    second = [
        layout.file("d/.wh..wh..opq"), layout.file("d/new", b"new"), layout.file(".wh.gone"), layout.file(".wh.tree"),
        layout.hard_link("linked", "d/new"), layout.entry("null", b"3", devmajor=1, devminor=3, mode=0o666),
    ]
    base = layout.BaseImage.of(case.directory / "layers", [first, second])
    image = case.image("""
FROM base
RUN [ ! -e /d/old ] && [ ! -e /gone ] && [ ! -e /tree ] && [ "$(cat /kept /d/new)" = keptnew ]
RUN [ "$(stat -c %i /linked)" = "$(stat -c %i /d/new)" ] && [ -c /null ] && echo lost > /null
""", {}, "--build-context", f"base=oci-layout://{base.directory}")
    assert len(image.layers) >= 2
