"""Images for several platforms: one build, one index."""
import hashlib
import json
import subprocess
import tarfile

import image as images
from harness import read_json, test
from layout import BaseImage, directory, file

PLATFORMS = "linux/amd64,linux/arm64,linux/arm/v7"
CROSS = """\
FROM --platform=$BUILDPLATFORM busybox AS build
RUN echo shared | tee /shared
FROM build AS cross
ARG BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT
ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT
RUN echo $BUILDPLATFORM $BUILDOS $BUILDARCH $BUILDVARIANT, $TARGETPLATFORM $TARGETOS $TARGETARCH $TARGETVARIANT > /own
FROM scratch
COPY --from=build /shared /
COPY --from=cross /own /
"""


def manifests(layout):
    """The index that the layout's one entry names, with its manifests by platform."""
    reader = images.Image(layout)
    index = reader.document(reader.index["manifests"][0])
    found = {}
    for descriptor in index["manifests"]:
        platform = descriptor["platform"]
        name = "/".join(filter(None, (platform["os"], platform["architecture"], platform.get("variant"))))
        found[name] = reader.document(descriptor)
    return index, found


@test("several platforms make one index, in which what is done on the build platform is done once")
def index(case):
    layout = case.directory / "layout"
    answer = case.build(CROSS, {}, "--platform", PLATFORMS, "--platform", "linux/arm64/v8", "-o", f"type=oci,tar=false,dest={layout}")
    answer.says("[linux/amd64 build 1/2] RUN echo shared", "[linux/amd64->arm64 cross 1/1] RUN", "[linux/arm/v7 stage-2 2/2] COPY",
                "[linux/amd64 internal] load metadata for").says_not("[linux/arm64 internal] load metadata")
    assert sum("RUN echo shared" in line and line.startswith("#") for line in answer.text.splitlines()) == 1, answer.text
    assert sum(line.startswith("#") and "load metadata" in line for line in answer.text.splitlines()) == 1, answer.text
    found, documents = manifests(layout)
    assert found["mediaType"].endswith("image.index.v1+json")
    assert list(documents) == ["linux/amd64", "linux/arm64", "linux/arm/v7"]
    raw = subprocess.run(["skopeo", "inspect", "--raw", f"oci:{layout}"], capture_output=True, check=True).stdout
    assert hashlib.sha256(raw).hexdigest() in images.Image(layout).index["manifests"][0]["digest"]
    for platform, document in documents.items():
        config = images.Image(layout).document(document["config"])
        assert "/".join(filter(None, (config["os"], config["architecture"], config.get("variant")))) == platform
    # The layer with the shared file is one blob.
    assert len({document["layers"][0]["digest"] for document in documents.values()}) == 1
    assert len({document["layers"][1]["digest"] for document in documents.values()}) == 3
    tree = case.directory / "tree"
    case.build(CROSS, {}, "--platform", PLATFORMS, "-o", f"type=local,dest={tree}")
    for name, own in (("linux_amd64", "linux/amd64 linux amd64"), ("linux_arm64", "linux/arm64 linux arm64"),
                      ("linux_arm_v7", "linux/arm/v7 linux arm v7")):
        assert (tree / name / "own").read_text() == f"linux/amd64 linux amd64 , {own}\n"
        assert (tree / name / "shared").read_text() == "shared\n"


@test("the same platforms give the same bytes, in the order in which they are asked for")
def order(case):
    def built(name, *platforms):
        layout = case.directory / name
        options = [word for platform in platforms for word in ("--platform", platform)]
        case.build(CROSS, {}, *options, "-o", f"type=oci,tar=false,dest={layout}", "--timestamp", "0")
        return layout
    first, second = built("first", PLATFORMS), built("second", *PLATFORMS.split(","))
    assert (first / "index.json").read_bytes() == (second / "index.json").read_bytes()
    other = built("other", "linux/arm/v7,linux/amd64")
    assert list(manifests(other)[1]) == ["linux/arm/v7", "linux/amd64"]
    ours = {platform: images.Image(first).document(m["config"]) for platform, m in manifests(first)[1].items()}
    theirs = {platform: images.Image(other).document(m["config"]) for platform, m in manifests(other)[1].items()}
    assert all(ours[platform] == config for platform, config in theirs.items())


@test("other tools take each platform out of the index")
def tools(case):
    archive = case.directory / "image.tar"
    case.build(CROSS, {}, "--platform", PLATFORMS, "-t", "app:1", "-o", f"type=oci,dest={archive}")
    for arguments in (["--override-arch=arm64"], ["--override-arch=arm", "--override-variant=v7"]):
        out = subprocess.run(["skopeo", *arguments, "inspect", "--config", f"oci-archive:{archive}"],
                             capture_output=True, check=True).stdout
        assert json.loads(out)["architecture"] == arguments[0].split("=")[1]
    layout = case.directory / "copy"
    subprocess.run(["skopeo", "--override-arch=arm64", "copy", "-q", f"oci-archive:{archive}", f"oci:{layout}:app"], check=True)
    subprocess.run(["umoci", "unpack", "--rootless", "--image", f"{layout}:app", case.directory / "bundle"],
                   check=True, capture_output=True)
    assert "linux/arm64" in (case.directory / "bundle/rootfs/own").read_text()
    every = case.directory / "all"
    subprocess.run(["skopeo", "copy", "-q", "--all", f"oci-archive:{archive}", f"dir:{every}"], check=True)
    assert len(read_json(every / "manifest.json")["manifests"]) == 3


@test("docker's media types make a manifest list")
def manifest_list(case):
    layout = case.directory / "layout"
    case.build(CROSS, {}, "--platform", PLATFORMS, "-o", f"type=oci,tar=false,dest={layout},oci-mediatypes=false")
    found, documents = manifests(layout)
    assert found["mediaType"] == "application/vnd.docker.distribution.manifest.list.v2+json"
    assert {document["mediaType"] for document in documents.values()} == {"application/vnd.docker.distribution.manifest.v2+json"}


@test("annotations are in the manifests of the platforms that they are for, and in the index")
def annotations(case):
    layout = case.directory / "layout"
    answer = case.build(
        CROSS, {}, "--platform", PLATFORMS, "-o",
        f"type=oci,tar=false,dest={layout},annotation-manifest[linux/arm64].a=1,annotation-index.b=2",
        "--annotation", "manifest[linux/arm/v7],manifest-descriptor[linux/arm/v7]:c=3", "--annotation", "all=4",
        "--annotation", "manifest[linux/s390x]:d=5")
    answer.says("annotations for linux/s390x have no effect: the image is for linux/amd64, linux/arm64, linux/arm/v7")
    found, documents = manifests(layout)
    assert found["annotations"] == {"b": "2"}
    assert [document["annotations"] for document in documents.values()] == [
        {"all": "4"}, {"all": "4", "a": "1"}, {"all": "4", "c": "3"}]
    assert [descriptor.get("annotations") for descriptor in found["manifests"]] == [None, None, {"c": "3"}]


@test("the outputs of a tree have a directory for each platform, unless they are to share one")
def trees(case):
    archive, shared = case.directory / "tree.tar", case.directory / "shared"
    options = ["--platform", "linux/amd64,linux/arm/v7"]
    case.build(CROSS, {}, *options, "-o", f"type=tar,dest={archive}")
    with tarfile.open(archive) as tar:
        assert tar.getnames() == [f"{name}{path}" for name in ("linux_amd64", "linux_arm_v7") for path in ("", "/own", "/shared")]
    case.fails(CROSS, {}, *options, "-o", f"type=local,dest={shared},platform-split=false").says(
        "error[output-conflict]", "for linux/arm/v7: linux/amd64 has a file there")
    single = case.directory / "single"
    case.build(CROSS, {}, "--platform", "linux/arm64", "-o", f"type=local,dest={single},platform-split=true")
    assert (single / "linux_arm64/own").exists()
    named = "FROM scratch\nARG TARGETARCH\nCOPY file /$TARGETARCH\n"
    case.build(named, {"file": "x"}, *options, "-o", f"type=local,dest={case.directory / 'named'},platform-split=false")
    assert sorted(path.name for path in (case.directory / "named").iterdir()) == ["amd64", "arm"]


@test("what cannot be done with several platforms is said before the build")
def refused(case):
    case.fails(CROSS, {}, "--platform", PLATFORMS, "-o", "type=docker,dest=a.tar").says(
        "error[invalid-output]", "the build is for 3: linux/amd64, linux/arm64, linux/arm/v7", "type=oci,dest=FILE").says_not("RUN")
    case.fails(CROSS, {}, "--platform", PLATFORMS, "--load").says("error[invalid-output]", "--platform=linux/amd64")
    case.fails(CROSS, {}, "--platform", "linux/amd64,,linux/arm64").says("error[invalid-argument]", "a platform is missing")
    case.fails(CROSS, {}, "--platform", "linux/amd64,amr64").says("error[invalid-argument]", "'amr64' is no platform")
    case.fails(CROSS, {}, env={"DOCKER_DEFAULT_PLATFORM": "nothing/x/y/z"}).says("$DOCKER_DEFAULT_PLATFORM")
    case.fails("FROM busybox\n", {}, "--platform", "linux/amd64,linux/s390x").says(
        "error[wrong-platform]", "linux/s390x", "only for: linux/amd64, linux/arm64")


@test("$DOCKER_DEFAULT_PLATFORM counts where no platform is named")
def environment(case):
    image = case.image("FROM scratch\nCOPY f /\n", {"f": ""}, env={"DOCKER_DEFAULT_PLATFORM": "linux/arm/v6"})
    assert (image.config["architecture"], image.config["variant"]) == ("arm", "v6")
    image = case.image("FROM scratch\nCOPY f /\n", {"f": ""}, "--platform", "local", env={"DOCKER_DEFAULT_PLATFORM": "linux/arm"})
    assert image.config["architecture"] == "amd64"


@test("a base image gives the newest variant that the processor runs")
def variants(case):
    base = BaseImage(case.directory / "base")
    base.finish([base.add_image([[file("is", name.encode())]], platform=name)
                 for name in ("linux/arm/v5", "linux/amd64", "linux/arm/v6", "linux/amd64/v2", "linux/arm/v8")])
    def chosen(platform):
        tree = case.directory / platform.replace("/", "-")
        case.build("FROM base\n", {}, "--build-context", f"base=oci-layout://{base.directory}:latest",
                   "--platform", platform, "-o", tree)
        return (tree / "is").read_text()
    for wanted, found in (("linux/arm/v7", "linux/arm/v6"), ("linux/arm/v6", "linux/arm/v6"), ("linux/arm/v5", "linux/arm/v5"),
                          ("linux/arm", "linux/arm/v6"), ("linux/arm/v8", "linux/arm/v8"), ("linux/amd64/v3", "linux/amd64/v2"),
                          ("linux/amd64", "linux/amd64")):
        assert chosen(wanted) == found, (wanted, found)


@test("targets of bake have platforms, and a target that serves as a context has the right one")
def bake(case):
    root = case.context({
        "Dockerfile": "FROM base\nARG TARGETARCH\nCOPY f /$TARGETARCH\n", "f": "",
        "base.Dockerfile": "FROM scratch\nARG TARGETARCH\nCOPY f /base-$TARGETARCH\n",
        "docker-bake.json": json.dumps({"target": {
            "base": {"dockerfile": "base.Dockerfile", "platforms": ["linux/amd64", "linux/arm64"]},
            "app": {"contexts": {"base": "target:base"}, "platforms": ["linux/amd64", "linux/arm64"],
                    "output": [f"type=local,dest={case.directory}/out"]},
            "other": {"contexts": {"base": "target:base"}, "platforms": ["linux/s390x"], "output": ["type=cacheonly"]}}})})
    def run(target, status):
        command = ["sh", "-c", 'cd "$1" && exec "$2" bake --root "$3" --progress=plain --allow "*" "$4" --metadata-file m.json', "sh",
                   root, case.command()[0], case.store, target]
        return case.run(command, status=status)
    run("app", 0).says("[app linux/arm64 ")
    files = sorted(str(path.relative_to(case.directory / "out")) for path in (case.directory / "out").rglob("*") if path.is_file())
    assert files == ["linux_amd64/amd64", "linux_amd64/base-amd64", "linux_arm64/arm64", "linux_arm64/base-arm64"], files
    run("other", 1).says("error[context-platform]", "its platforms are linux/amd64, linux/arm64")


@test("commands for images take a platform of an index, and know which ones there are")
def chosen(case):
    def command(*arguments, store=case.store, status=0):
        return case.run(case.command(*arguments[:1], "--root", store, *arguments[1:]), status=status)
    case.build("FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n", {"amd64": "1", "arm64": "2" * 5000}, "-t", "app",
               "--platform", "linux/amd64,linux/arm64")
    shown = ["inspect", "-f", "{{.Architecture}} {{.Size}}"]
    assert command(*shown, "app").out.startswith("amd64 ")
    own, other = (int(command(*shown, *options, "app").out.split()[1]) for options in ([], ["--platform", "linux/arm64"]))
    assert other - own == 4608, (own, other)  # nine blocks more of the tar archive
    command("history", "--platform", "arm64", "app").says("COPY arm64 /")
    for name in ("history", "inspect"):
        command(name, "--platform", "linux/s390x", "app", status=1).says("error[wrong-platform]", "only for: linux/amd64, linux/arm64")
    every, single = case.directory / "every.tar", case.directory / "single.tar"
    command("save", "-o", every, "app")
    command("save", "-o", single, "--platform", "linux/arm64", "app")
    for archive, options, name in ((every, ["--platform", "linux/arm64"], "chosen"), (single, [], "single")):
        store = case.directory / name
        command("load", "-i", archive, *options, store=store)
        command("fsck", store=store)
        assert command(*shown, "app", store=store).out == f"arm64 {other}\n"
        command("inspect", "--platform", "linux/amd64", "app", store=store, status=1).says("only for: linux/arm64")
    command("load", "-i", every, "--platform", "linux/s390x", store=case.directory / "none", status=1).says("error[wrong-platform]")
    whole = case.directory / "whole"
    command("load", "-i", every, store=whole)
    command("prune", "-a", "-f", store=whole)
    command("fsck", store=whole)
    again = case.directory / "again.tar"
    command("save", "-o", again, "app", store=whole)
    assert again.read_bytes() == every.read_bytes()
    command("tag", "app", "two", store=whole)
    command("rmi", "app", store=whole).says("Untagged: app:latest").says_not("Deleted")
    command("rmi", "two", store=whole).says("Deleted")
