"""`whittle diff`: what two images differ in, wherever they are."""
import json
import subprocess
import tarfile

import layout
from harness import test

LEFT = "FROM scratch\nENV A=1 B=2\nCOPY f /a/f\nLABEL x=1\nUSER 7\n"
RIGHT = ("FROM scratch\nENV A=1 B=3\nCOPY --chmod=755 --chown=1:2 f /a/f\nCOPY f /new\nLABEL y=1\nUSER 7\n")


def diff(case, *arguments, status=None):
    return case.run(case.command("diff", "--root", case.store, *arguments), status=status)


def fields(answer):
    return {(difference["field"], difference.get("subject")) for difference in json.loads(answer.out)["differences"]}


def build_both(case):
    case.build(LEFT, {"f": "hi\n"}, "-t", "left")
    case.build(RIGHT, {"f": "hi\n"}, "-t", "right")


@test("tells configuration, history, layers and files apart, as text and as JSON")
def everything(case):
    build_both(case)
    diff(case, "left", "right", status=1).says(
        "~ Env B: 2 → 3", "- Labels x: 1", "+ Labels y: 1", "~ /a/f: mode 0644 → 0755, owner 0:0 → 1:2", "+ /new (file 3 B",
        "number of layers: 1 → 2").says_not("Env A", "User")
    answer = diff(case, "left", "right", "--format", "json", "--ignore", "history,layers", status=1)
    document = json.loads(answer.out)
    assert document["schemaVersion"] == 1 and document["equal"] is False
    assert fields(answer) == {
        ("config.Env", "B"), ("config.Labels", "x"), ("config.Labels", "y"), ("files.owner", "/a"), ("files.mode", "/a/f"),
        ("files.owner", "/a/f"), ("files.path", "/new")}, fields(answer)
    assert document["summary"] == {"config": 3, "history": 0, "layers": 0, "files": 4}, document["summary"]


@test("exit status 0 for equal, 1 for different, 2 for trouble, usage included; --quiet prints nothing")
def statuses(case):
    build_both(case)
    assert diff(case, "left", "left", status=0).out == "no differences\n"
    assert diff(case, "-q", "left", "right", status=1).text == ""
    diff(case, "left", "lef", status=2).says("error[unknown-image]", "did you mean 'left'?")
    diff(case, "left", status=2).says("Missing expected argument")
    diff(case, "left", "right", "--colour", status=2).says("Unknown option")
    diff(case, "left", "right", "--ignore", "config.Label", status=2).says("did you mean 'config.Labels'?")
    diff(case, "left", "right", "--only", "file", status=2).says("did you mean 'files'?")
    diff(case, "left", "docker://127.0.0.1:1/none", status=2).says("error[registry-unreachable]")


@test("ignores sections, fields, single things and paths")
def ignoring(case):
    build_both(case)
    diff(case, "left", "right", "--only", "config", "--ignore", "config.Labels,config.env.B", status=0)
    diff(case, "left", "right", "--only", "files", "--ignore", "files:/new", "--ignore", "files.mode,files.owner", status=0)
    diff(case, "left", "right", "--only", "files", "--ignore", "files:/a/**,files:/a", status=1).says("/new").says_not("/a/f")


@test("an image is equal to itself in the store, a layout, archives of both kinds and, in its files, a directory")
def sources(case):
    case.build(RIGHT, {"f": "hi\n"}, "-t", "app", "-o", "type=image,name=app", "-o", "type=oci,tar=false,dest=layout")
    case.build(RIGHT, {"f": "hi\n"}, "-o", "type=local,dest=tree", "-o", "type=oci,dest=oci.tar")
    case.build(RIGHT, {"f": "hi\n"}, "-o", "type=docker,dest=docker.tar,name=app:1")
    subprocess.run(["gzip", "-k", "oci.tar"], cwd=case.directory, check=True)
    for other in ("oci:layout", "oci-layout://layout", "./layout", "oci-archive:oci.tar", "oci.tar.gz",
                  "docker-archive:docker.tar", "docker-archive:docker.tar:app:1", "dir:tree", "tree"):
        diff(case, "app", other, status=0)
    diff(case, "app", "docker-archive:docker.tar:other:1", status=2).says("no image 'other:1' in the archive 'docker.tar'")
    assert not [name for name in (case.store / "active").iterdir()], "left behind"


@test("whiteouts, opaque directories, hard links, devices and attributes of layers that others wrote")
def others(case):
    attributes = {"SCHILY.xattr.user.note": "x"}
    below = [layout.directory("d"), layout.file("d/old", b"1"), layout.file("gone", b"2"), layout.directory("o"),
             layout.file("o/hidden", b"3"), layout.file("one", b"4")]
    above = [layout.file("d/.wh.old"), layout.file(".wh.gone"), layout.file("o/seen", b"5"), layout.file("o/.wh..wh..opq"),
             layout.hard_link("two", "one"),
             layout.entry("dev", tarfile.CHRTYPE, mode=0o600, devmajor=1, devminor=3),
             layout.file("noted", b"6", pax_headers=attributes)]
    layout.BaseImage.of(case.directory / "two", [below, above], packing=layout.ZSTD)
    whole = [layout.directory("d"), layout.directory("o"), layout.file("o/seen", b"5"), layout.file("one", b"4"),
             layout.hard_link("two", "one"), layout.entry("dev", tarfile.CHRTYPE, mode=0o600, devmajor=1, devminor=3),
             layout.file("noted", b"6", pax_headers=attributes)]
    layout.BaseImage.of(case.directory / "one", [whole])
    diff(case, "oci:two", "oci:one", "--only", "files", status=0)
    apart = whole[:4] + [layout.file("two", b"4"), layout.entry("dev", tarfile.BLKTYPE, mode=0o600, devmajor=1, devminor=3),
                         layout.file("noted", b"6")]
    layout.BaseImage.of(case.directory / "apart", [apart])
    answer = diff(case, "oci:one", "oci:apart", "--only", "files", "--format", "json", status=1)
    assert fields(answer) == {("files.hardlink", "/one"), ("files.hardlink", "/two"), ("files.type", "/dev"),
                              ("files.xattr", "/noted")}, fields(answer)


@test("refuses hostile and damaged images with status 2")
def hostile(case):
    layout.BaseImage.of(case.directory / "good", [[layout.file("f")]])
    for name, entries in {"up": [layout.file("../f")], "link": [layout.link("l", "/etc"), layout.file("l/f")],
                          "self": [layout.hard_link("h", "h")]}.items():
        layout.BaseImage.of(case.directory / name, [entries])
        diff(case, "oci:good", f"oci:{name}", status=2).says("error[unsafe-layer]")
    damaged = layout.BaseImage.of(case.directory / "damaged", [[layout.file("f")]])
    largest = max(damaged.blobs.iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(b"x" * largest.stat().st_size)
    diff(case, "oci:good", "oci:damaged", status=2).says("error[digest-mismatch]")


@test("times, and the digests that follow from them, count with --times only")
def times(case):
    entries = [layout.file("f", b"x")]
    layout.BaseImage.of(case.directory / "old", [entries])
    later = layout.file("f", b"x")
    later[0].mtime += 60
    layout.BaseImage.of(case.directory / "new", [[later]])
    diff(case, "oci:old", "oci:new", status=0)
    diff(case, "oci:old", "oci:new", "--times", status=1).says("~ /f: time 2023-11-14T22:13:20Z → 2023-11-14T22:14:20Z", "diffID")


@test("an image for another machine is compared, and of several the wanted one")
def platforms(case):
    layout.BaseImage.of(case.directory / "arm", [[layout.file("f")]], platform="linux/arm64/v8")
    layout.BaseImage.of(case.directory / "amd", [[layout.file("f")]])
    diff(case, "oci:arm", "oci:amd", status=1).says("~ architecture: arm64 → amd64")
    diff(case, "--platform", "linux/arm64", f"oci:{case.base.directory}", f"oci:{case.base.directory}", status=0)
    diff(case, "--platform", "linux/arm64", "oci:arm", "oci:amd", status=2).says("error[wrong-platform]")
