"""--squash, annotations, indexes, and several outputs at once."""
import image as images
from harness import read_json, test

LAYERS = """
FROM busybox
RUN mkdir /d /gone && echo 1 > /d/one && echo x > /gone/f && echo big > /secret && ln /d/one /d/link
RUN rm -r /gone /secret && echo 2 > /d/two && rm /etc/group && mkdir /replaced && touch /replaced/old
RUN rm -r /replaced && mkdir /replaced && touch /replaced/new && rm -r /home && mkdir /home && chmod 700 /d
COPY f /d/three
ENV A=b
"""


@test("--squash makes one layer of the new ones, with the same files")
def squash(case):
    plain = case.image(LAYERS, {"f": "3\n"})
    squashed = case.image(LAYERS, {"f": "3\n"}, "--squash")
    assert len(plain.layers) == 5 and len(squashed.layers) == 2
    assert squashed.layers[0]["digest"] == plain.layers[0]["digest"]
    tree = lambda image: {path: (member.type, member.mode, member.uid, member.linkname if member.issym() else None, data)
                          for path, (member, data) in image.tree().items()}
    assert tree(squashed) == tree(plain)
    names = set(squashed.last_entries())
    assert not names & {"secret", "gone", "gone/f", ".wh.secret", ".wh.gone", "replaced/old"}, names
    assert "etc/.wh.group" in names and "d/two" in names
    history = squashed.config["history"]
    assert [entry["created_by"] for entry in history[:-1]] == [entry["created_by"] for entry in plain.config["history"]]
    assert history[-1]["created_by"] == "SQUASH of 4 layers" and history[-1]["created"]
    assert sum(not entry.get("empty_layer") for entry in history) == 2
    assert squashed.config["config"] == plain.config["config"]
    # The same image from the cache, and nothing to squash in one layer.
    assert case.image(LAYERS, {"f": "3\n"}, "--squash").descriptor["digest"] == squashed.descriptor["digest"]
    one = "FROM busybox\nRUN touch /f\n"
    assert case.image(one, {}, "--squash").descriptor["digest"] == case.image(one, {}).descriptor["digest"]
    rest = case.image("FROM scratch\nCOPY f /a\nCOPY f /b\n", {"f": ""}, "--squash")
    assert len(rest.layers) == 1 and set(rest.last_entries()) == {"a", "b"}


@test("--annotation puts annotations where it says, and wins over the output's own")
def annotations(case):
    destination = case.directory / "annotated"
    metadata = case.directory / "metadata.json"
    answer = case.build(
        "FROM busybox\n", {}, "-o", f"type=oci,tar=false,dest={destination},annotation.a=output,annotation.b=output",
        "--annotation", "a=x=y", "--annotation", "manifest-descriptor,manifest:org.example.both=1",
        "--annotation", "manifest[linux/amd64]:only=here", "--annotation", "manifest[linux/arm64]:only=there",
        "--metadata-file", metadata)
    image = images.Image(destination)
    assert image.manifest["annotations"] == {"a": "x=y", "b": "output", "org.example.both": "1", "only": "here"}
    assert image.descriptor["annotations"]["org.example.both"] == "1"
    answer.says("annotations for linux/arm64 have no effect: the image is for linux/amd64")
    case.fails("FROM busybox\n", {}, "--annotation", "index:a=b").says("error[invalid-annotation]", "BUILDKIT_MULTI_PLATFORM=1")
    case.fails("FROM busybox\n", {}, "--annotation", "mainfest:a=b").says("did you mean 'manifest'?")
    case.fails("FROM busybox\n", {}, "--annotation", "a").says("it is no KEY=VALUE")
    case.fails("FROM busybox\n", {}, "--annotation", "a=b", "-o", "out").says("no output is an image")


@test("BUILDKIT_MULTI_PLATFORM makes an index, which may be annotated and used as an image")
def index(case):
    destination = case.directory / "indexed"
    case.build("FROM busybox\nRUN touch /made\nCMD [\"ls\", \"/made\"]\n", {}, "--build-arg", "BUILDKIT_MULTI_PLATFORM=1",
               "-o", f"type=oci,tar=false,dest={destination}", "-t", "app", "-o", "type=image",
               "--annotation", "index:i=1", "--annotation", "index-descriptor:d=2", "--annotation", "manifest:m=3")
    image = images.Image(destination)
    top = read_json(destination / "index.json")["manifests"][0]
    assert top["mediaType"].endswith("image.index.v1+json") and top["annotations"]["d"] == "2"
    assert image.document(top)["annotations"] == {"i": "1"} and image.manifest["annotations"] == {"m": "3"}
    assert image.descriptor["platform"] == {"architecture": "amd64", "os": "linux"}
    assert "/made" in case.run(case.command("run", "--root", case.store, "app")).out
    assert "app" in case.run(case.command("images", "--root", case.store)).out
    case.build("FROM app\nRUN ls /made\n", {})


@test("one build writes every kind of output at once")
def outputs(case):
    names = {name: case.directory / name for name in ("layout", "docker.tar", "tree.tar", "tree")}
    case.build("FROM busybox\nRUN touch /made\n", {}, "-t", "many", "-o", f"type=oci,tar=false,dest={names['layout']}",
               "-o", f"type=docker,dest={names['docker.tar']}", "-o", f"type=tar,dest={names['tree.tar']}", "-o", names["tree"],
               "-o", "type=image,name=other", "-o", "type=cacheonly")
    assert images.Image(names["layout"]).has("/made") and (names["tree"] / "made").exists()
    assert names["docker.tar"].stat().st_size > 1000 and names["tree.tar"].stat().st_size > 1000
    listed = case.run(case.command("images", "--root", case.store)).out
    assert "many" in listed and "other" in listed


@test("--target takes a number, and labels win over the Dockerfile's")
def targets(case):
    dockerfile = "FROM busybox AS a\nRUN touch /a\nFROM busybox\nRUN touch /b\nLABEL l=file\nFROM busybox\nRUN false\n"
    image = case.image(dockerfile, {}, "--target", "1", "--label", "l=option", "--label", "empty")
    assert image.has("/b") and image.config["config"]["Labels"]["l"] == "option" and image.config["config"]["Labels"]["empty"] == ""
    assert case.image(dockerfile, {}, "--target", "0").has("/a")
    case.fails(dockerfile, {}, "--target", "3").says("error[unknown-target]: no stage is named '3'")
