"""whittle bake: the targets of bake files and compose files as one build."""
import json

import image
from harness import test


def bake(case, files, *arguments, status=0, env=None):
    """Runs bake in a directory with these files; the base image is given to JSON files by `busybox`."""
    case.root = case.context({name: json.dumps(text) if isinstance(text, dict) else text for name, text in files.items()})
    return again(case, *arguments, status=status, env=env)


def again(case, *arguments, status=0, env=None):
    options = [] if {"--print", "--list"} & set(arguments) else ["--progress=plain"]
    command = case.command("bake", "--root", case.store, *options, *arguments)
    return case.run(["sh", "-c", 'cd "$0" && exec "$@"', case.root, *command], status=status, env=env)


def busybox(case, **more):
    return {"contexts": {"busybox": f"oci-layout://{case.base.directory}:latest", **more}}


def layout(case, name):
    return [f"type=oci,tar=false,dest={case.directory / name}"]


SHARED = """
FROM busybox AS shared
COPY shared.txt /
RUN --mount=type=cache,target=/count echo run >> /count/runs && cat /count/runs > /runs
FROM shared AS one
RUN cat /runs > /one
FROM shared AS two
RUN cat /runs > /two
"""


@test("bake runs a stage that two targets share once, and writes both images")
def shared(case):
    answer = bake(case, {
        "Dockerfile": SHARED, "shared.txt": "s",
        "docker-bake.json": {
            "group": {"default": {"targets": ["a", "b"]}},
            "target": {
                "a": {**busybox(case), "target": "one", "output": layout(case, "a"), "tags": ["app:a"]},
                "b": {**busybox(case), "target": "two", "output": layout(case, "b")}}}},
        "--metadata-file", case.directory / "metadata.json")
    assert image.Image(case.directory / "a").read("/one") == "run\n"
    assert image.Image(case.directory / "b").read("/two") == "run\n"
    assert answer.text.count("] RUN --mount=type=cache") == 1, answer.text
    answer.says("[a one 1/1] RUN cat", "[b two 1/1] RUN cat", "[a internal] load build context", "[b] exporting to oci")
    metadata = json.loads((case.directory / "metadata.json").read_text())
    assert set(metadata) == {"a", "b"}
    assert metadata["a"]["image.name"] == "docker.io/library/app:a"
    assert metadata["b"]["containerimage.digest"].startswith("sha256:")
    # What bake made is what build finds.
    cached = case.build(SHARED, None, "--target", "one", context=case.root)
    assert not cached.ran("RUN --mount=type=cache") and not cached.ran("RUN cat"), cached.text


@test("bake: equal steps over directories of equal content run once, over others twice")
def directories(case):
    dockerfile = ("FROM busybox\nCOPY f /f\nRUN --mount=type=cache,target=/count echo x >> /count/runs && "
                  "cat /f /count/runs > /out\n")
    answer = bake(case, {
        "x/Dockerfile": dockerfile, "x/f": "one\n", "y/Dockerfile": dockerfile, "y/f": "two\n",
        "z/Dockerfile": dockerfile, "z/f": "one\n",
        "docker-bake.json": {"target": {
            name: {**busybox(case), "context": name, "output": layout(case, name)} for name in "xyz"}}}, "-j", "1", "*")
    outs = [image.Image(case.directory / name).read("/out") for name in "xyz"]
    assert [out.split("\n")[0] for out in outs] == ["one", "two", "one"], outs
    assert outs[0] == outs[2] and sorted(out.count("x") for out in outs[:2]) == [1, 2], outs


@test("bake: the context target:NAME is the other target's files and configuration")
def linked(case):
    answer = bake(case, {
        "base/Dockerfile": "FROM busybox\nARG V\nENV FROM_BASE=$V\nWORKDIR /srv\nRUN echo made > /srv/made\n"
                           "ONBUILD RUN echo trigger > /triggered\n",
        "app/Dockerfile": "FROM base\nRUN cat made > /app && echo $FROM_BASE >> /app\n"
                          "COPY --from=base /srv/made /copied\n",
        "docker-bake.json": {"target": {
            "base": {**busybox(case), "context": "base", "args": {"V": "7"}, "labels": {"l": "base"}, "tags": ["never"]},
            "app": {"context": "app", "contexts": {"base": "target:base"}, "output": layout(case, "app")}}}}, "app")
    built = image.Image(case.directory / "app")
    assert built.read("/app") == "made\n7\n" and built.read("/copied") == "made\n" and built.read("/triggered")
    config = built.config["config"]
    assert "FROM_BASE=7" in config["Env"] and config["WorkingDir"] == "/srv" and config["Labels"] == {"l": "base"}
    assert "OnBuild" not in config or not config["OnBuild"]
    history = built.config["history"]
    layers = [entry for entry in history if not entry.get("empty_layer")]
    assert len(layers) == len(built.layers) == len(built.config["rootfs"]["diff_ids"]), history
    answer.says("[base 2/3] RUN echo made", "[app stage-0 1/3] ONBUILD RUN")
    assert "never" not in case.run(case.command("images", "--root", case.store)).text


@test("bake builds two services of a compose file")
def compose(case):
    bake(case, {
        "compose.yaml": f"""
services:
  web:
    image: ${{NAME:-web}}:1
    build:
      context: web
      additional_contexts: {{busybox: "oci-layout://{case.base.directory}:latest", lib: "service:lib"}}
      args: [GREETING]
      secrets: [key]
  lib:
    build:
      dockerfile_inline: |
        FROM busybox
        RUN echo lib > /lib.txt
      additional_contexts: ["busybox=oci-layout://{case.base.directory}:latest"]
      tags: ["lib:2"]
secrets:
  key: {{file: ./key.txt}}
""",
        "key.txt": "hidden-value", ".env": "GREETING=hello\n",
        "web/Dockerfile": "FROM busybox\nCOPY --from=lib /lib.txt /\nARG GREETING\n"
                          "RUN --mount=type=secret,id=key echo $GREETING $(wc -c < /run/secrets/key) > /out\n"})
    listed = case.run(case.command("images", "--root", case.store)).text
    assert "web" in listed and "lib" in listed, listed
    answer = again(case, "web", "--set", f"*.output=type=oci,tar=false,dest={case.directory / 'web'}")
    assert image.Image(case.directory / "web").read("/out") == "hello 12\n"
    assert not answer.ran("RUN --mount=type=secret"), answer.text


@test("bake --print writes what is resolved, and --list what there is, without a store")
def printing(case):
    files = {
        "docker-bake.json": {
            "variable": {"TAG": {"default": "dev", "description": "of images"}},
            "group": {"default": {"targets": ["app"]}},
            "target": {"base": {"args": {"A": "1"}}, "app": {"inherits": ["base"], "tags": ["app:${TAG}"],
                                                             "description": "the app"}}},
        "docker-bake.override.json": {"target": {"app": {"args": {"B": "2"}}}}, "docker-bake.hcl": "target \"x\" {}"}
    answer = bake(case, files, "--print", "--set", "*.args.C=3", env={"TAG": "7"})
    assert json.loads(answer.out) == {
        "group": {"default": {"targets": ["app"]}},
        "target": {"app": {"description": "the app", "context": ".", "dockerfile": "Dockerfile",
                           "args": {"A": "1", "B": "2", "C": "3"}, "tags": ["app:7"]}}}
    answer.says("warning: 'docker-bake.hcl' is passed over")
    assert again(case, "--list", "targets").out.splitlines()[0].split() == ["TARGET", "DESCRIPTION"]
    variables = json.loads(again(case, "--list", "type=variables,format=json", "--var", "TAG=x").out)
    assert variables == [{"name": "TAG", "description": "of images", "value": "x"}]
    assert not case.store.exists()


@test("bake says what is wrong, with the target's name, before and while it builds")
def errors(case):
    files = {
        "Dockerfile": "FROM busybox\nRUN echo before && exit 7\n", "good": "FROM busybox\n",
        "docker-bake.json": {"target": {
            "bad": busybox(case), "fine": {**busybox(case), "dockerfile": "good"},
            "host": {**busybox(case), "network": "host"}, "missing": {"context": "nowhere"},
            "many": {"platforms": ["linux/amd64", "linux/arm64"]}, "round": {"contexts": {"x": "target:round"}}}}}
    answer = bake(case, files, "bad", "fine", status=1)
    answer.says("[bad 1/2] RUN echo before", "error[step-failed]: target 'bad': ", "Dockerfile:2")
    again(case, "fnie", status=1).says("error[bake-unknown-target]", "did you mean 'fine'?")
    again(case, "host", status=1).says("error[not-allowed]", "--allow network.host")
    again(case, "host", "--print").says("network.host")
    again(case, "missing", status=1).says("error[context-not-found]", "nowhere")
    again(case, "many", "--set", "many.output=type=docker", status=1).says("target 'many'", "image for one platform")
    again(case, "round", status=1).says("error[bake-cycle]: 'round' → 'round'")
    again(case, "fine", "--push", status=1).says("error[invalid-output]", "the image has no name", "-t REGISTRY/NAME:TAG")
    again(case, "--check", "bad", "fine").says("# bad", "# fine")
    (case.root / "docker-bake.json").rename(case.root / "docker-bake.hcl")
    again(case, status=1).says("error[bake-unsupported]", "docker buildx bake -f docker-bake.hcl --print")
    (case.root / "docker-bake.hcl").unlink()
    again(case, status=1).says("error[bake-file-not-found]")


@test("a group without targets is an error, and nothing is built")
def empty_group(case):
    context = case.context({"docker-bake.json": '{"group": {"default": {"targets": []}}, "target": {"a": {}}}',
                            "Dockerfile": "FROM scratch\n"})
    case.run(case.command("bake", "-f", context / "docker-bake.json"), status=1).says(
        "error[bake-unknown-target]", "'default' has no targets")


@test("bake gives each target its own secrets, and a step that needs one the target that has it")
def secrets(case):
    answer = bake(case, {
        "Dockerfile": "FROM busybox\nARG WHO\nRUN --mount=type=secret,id=key,required=true test -s /run/secrets/key && "
                      "echo $WHO > /out && tr -d a-z < /run/secrets/key > /rest; wc -c < /run/secrets/key > /out\n",
        "docker-bake.json": {"target": {
            "a": {**busybox(case), "args": {"WHO": "a"}, "secret": ["id=key,env=A"], "output": layout(case, "a")},
            "b": {**busybox(case), "args": {"WHO": "b"}, "secret": ["id=key,env=B"], "output": layout(case, "b")}}}},
        "*", env={"A": "secret-of-a", "B": "longer-secret-of-b"})
    assert image.Image(case.directory / "a").read("/out") == "11\n"
    assert image.Image(case.directory / "b").read("/out") == "18\n"
    answer.says_not("secret-of-a", "longer-secret-of-b")
