"""What whittle says when something is wrong: the place, what was found, and the way out."""
import json
import os

from harness import test


@test("an unknown instruction names the near one, at its line and column")
def unknown_instruction(case):
    case.fails("FROM busybox\nRUM echo\n").says(":2:1:", "RUM", "RUN", "^")


@test("unknown flags, mount types and mount options name the near ones")
def unknown_flags(case):
    case.fails("FROM scratch\nCOPY --form=a f /\n", {"f": ""}).says(":2:6:", "form", "from")
    case.fails("FROM busybox\nRUN --mount=type=cach,target=/c true\n").says(":2:", "cach", "cache")
    case.fails("FROM busybox\nRUN --mount=type=cache,traget=/c true\n").says(":2:", "traget", "target")


@test("an unknown stage names the near one")
def unknown_stage(case):
    case.fails("FROM busybox AS builder\nRUN true\nFROM scratch\nCOPY --from=buildr /etc/passwd /\n").says(
        ":4:", "buildr", "builder")
    case.fails("FROM busybox AS builder\nRUN true\n", {}, "--target", "bilder").says("bilder", "builder")


@test("COPY of a missing file says what is there")
def missing_file(case):
    case.fails("FROM scratch\nCOPY package.jsn /\n", {"package.json": "{}"}).says(":2:", "package.jsn", "package.json")


@test("COPY of a file that .dockerignore hides says so")
def hidden_file(case):
    case.fails("FROM scratch\nCOPY dist/app.js /\n", {"dist/app.js": "", ".dockerignore": "dist\n"}).says(
        ":2:", "dist/app.js", ".dockerignore")


@test("COPY --from of a path that the stage never made names the nearest that exists")
def missing_in_stage(case):
    case.fails("FROM busybox AS build\nRUN mkdir -p /app/build\nFROM scratch\nCOPY --from=build /app/biuld /\n").says(
        ":4:", "/app/biuld", "/app/build", "build")


@test("paths and links out of the context are refused or stay inside")
def escapes(case):
    for source in ("../outside", "a/../../outside"):
        case.fails(f"FROM scratch\nCOPY {source} /\n", {"a/b": ""}).says(":2:", "outside")
    context = case.context({"a": ""})
    os.symlink("/etc/passwd", context / "link")
    os.symlink("/etc", context / "directory")
    case.fails("FROM scratch\nCOPY directory/passwd /\n", context=context).says(":2:", "directory/passwd")
    image = case.image("FROM scratch\nCOPY . /\n", context=context)
    assert image.member("/link").issym(), "a link in the context is copied as a link"


@test("a link to what is not there says where it leads")
def dangling_link(case):
    case.fails("FROM busybox\nCOPY latest /l\n", {"latest": lambda path: path.symlink_to("releases/7")}).says(
        "error[copy-source-not-found]: '/latest' does not exist in the build context: "
        "a symbolic link leads to 'releases/7'")


@test("an unknown instruction behind ONBUILD is a warning where it is declared, and fails the build on top")
def onbuild_trigger(case):
    case.build("FROM busybox\nONBUILD RUNN make\n").says(":2)", "there is no instruction 'RUNN'", "did you mean 'RUN'?")
    case.fails("FROM busybox AS b\nONBUILD RUNN make\nFROM b\n").says("there is no instruction 'RUNN'")


@test("names of users cannot be looked up by COPY --link, which says so")
def linked_owner(case):
    case.fails("FROM busybox\nCOPY --link --chown=app f /\n", {"f": ""}).says(
        "error[unknown-user]", "COPY --link does not see those of the stage")


@test("an image that is nowhere is an error with its full name")
def missing_image(case):
    settings = case.directory / "registries.conf"
    settings.write_text('[[registry]]\nlocation = "127.0.0.1:9"\ninsecure = true\n')
    case.fails("FROM 127.0.0.1:9/no/such:image\n", env={"CONTAINERS_REGISTRIES_CONF": str(settings)}).says(
        ":1:", "127.0.0.1:9/no/such:image")


@test("a platform that the image lacks names those it has")
def wrong_platform(case):
    case.fails("FROM busybox\nCOPY f /\n", {"f": ""}, "--platform", "linux/s390x").says(
        ":1:", "linux/s390x", "linux/amd64", "linux/arm64")


@test("a layer with other bytes than its digest is refused")
def digest_mismatch(case):
    import layout
    base = layout.BaseImage.of(case.directory / "broken", [[layout.file("f", b"original")]])
    layer = next(path for path in base.blobs.iterdir() if path.read_bytes()[:2] == b"\x1f\x8b")
    data = bytearray(layer.read_bytes())
    data[12] ^= 1
    layer.write_bytes(data)
    case.fails("FROM base\nCOPY f /g\nRUN true\n", {"f": ""}, "--build-context",
               f"base=oci-layout://{base.directory}").says(layer.name[:12], "error[digest-mismatch]")


@test("a layer that is cut short is refused, and works once it is whole")
def truncated_layer(case):
    import layout
    base = layout.BaseImage.of(case.directory / "short", [layout.busybox_layer()])
    layer = next(path for path in base.blobs.iterdir() if path.read_bytes()[:2] == b"\x1f\x8b")
    data = layer.read_bytes()
    layer.write_bytes(data[:len(data) // 2])
    options = ("--build-context", f"base=oci-layout://{base.directory}")
    case.fails("FROM base\nRUN true\n", {}, *options).says(layer.name[:12], "error[digest-mismatch]")
    layer.write_bytes(data)
    case.build("FROM base\nRUN true\n", {}, *options)


@test("an archive entry that leads outside is refused or stays inside")
def hostile_archive(case):
    import layout
    outside = case.directory / "escaped"
    leave = layout.link("out", str(case.directory))
    climb = layout.file("../" * 12 + str(outside).lstrip("/"), b"x")
    for number, entries in enumerate(([leave, layout.file("out/escaped", b"x")], [climb],
                                      [layout.hard_link("escaped", "../" * 12 + "etc/passwd")])):
        base = layout.BaseImage.of(case.directory / f"hostile-{number}", [entries])
        case.build("FROM base\nCOPY f /g\n", {"f": ""}, "-o", f"type=oci,dest=hostile{number}.tar", "--build-context",
                   f"base=oci-layout://{base.directory}", status=None)
        assert not outside.exists()


@test("an empty Dockerfile, a missing one and a missing context are told apart")
def no_dockerfile(case):
    case.fails("").says("FROM")
    empty = case.run(case.command("build", "--root", case.store, case.context()), status=None)
    assert empty.status != 0
    empty.says("Dockerfile")
    answer = case.run(case.command("build", "--root", case.store, "/no/such/directory"), status=None)
    assert answer.status != 0
    answer.says("/no/such/directory")


@test("a trailing comment that became an argument is recognised")
def trailing_comment(case):
    case.fails("FROM busybox\nCOPY f ./ # the file\n", {"f": ""}).says(":2:", "comment", "#")


@test("two lines run together are recognised")
def joined_lines(case):
    case.fails("FROM busybox AS builderWORKDIR /app\nRUN true\n").says(":1:", "WORKDIR")


@test("what a later version will do is named, not ignored")
def not_yet(case):
    case.fails("FROM busybox\n", {}, "--build-context", "a=target:b").says("error[not-supported]")


@test("errors of arguments name the argument")
def arguments(case):
    for options, wrong in ((["--secret", "src=x"], "id"), (["--jobs", "0"], "jobs"),
                           (["--build-context", "novalue"], "novalue"), (["--platform", "a/b/c/d"], "a/b/c/d"),
                           (["-t", "UPPER CASE"], "UPPER CASE")):
        case.fails("FROM busybox\nRUN true\n", {}, *options).says(wrong)


@test("every error has a code")
def codes(case):
    for dockerfile in ("FROM busybox\nRUM x\n", "FROM scratch\nCOPY nothing /\n", "FROM busybox\nRUN exit 3\n"):
        case.fails(dockerfile).says("error[")


@test("whittle parse prints instructions with their lines")
def parse(case):
    path = case.directory / "Dockerfile"
    path.write_text("FROM busybox AS b\nRUN echo \\\n  two lines\n")
    instructions = json.loads(case.run(case.command("parse", "--json", path)).out)["instructions"]
    assert [each["keyword"] for each in instructions] == ["FROM", "RUN"]
    assert (instructions[1]["start"], instructions[1]["end"]) == (2, 3)
    path.write_text("FROM busybox\nRUM x\n")
    assert case.run(case.command("parse", path), status=None).status != 0
