"""SOURCE_DATE_EPOCH, rewrite-timestamp and --timestamp."""
import os
import tarfile
import time

import image as images
from harness import test

EPOCH = 1_500_000_000
TIME = "2017-07-14T02:40:00Z"
DOCKERFILE = "FROM busybox\nRUN touch -d @100 /old && touch /new\nCOPY f /f\nENV A=b\n"


def times(image, path):
    return [entries[path].mtime for entries in map(image.entries, range(len(image.layers))) if path in entries]


@test("SOURCE_DATE_EPOCH comes from the environment, an argument, or an ARG above FROM, in this order of weight")
def sources(case):
    def created(dockerfile, *options, **more):
        image = case.image(dockerfile, {"f": "f"}, *options, **more)
        times = {entry.get("created") for entry in image.config["history"][-3:]}
        assert len(times) == 1 and times.pop() == image.config["created"]
        return image.config["created"]

    default = f"ARG SOURCE_DATE_EPOCH={EPOCH - 86400}\n{DOCKERFILE}"
    assert created(DOCKERFILE, env={"SOURCE_DATE_EPOCH": f"{EPOCH}"}) == TIME
    assert created(DOCKERFILE, "--build-arg", f"SOURCE_DATE_EPOCH={EPOCH}", env={"SOURCE_DATE_EPOCH": "1"}) == TIME
    assert created(default, "--build-arg", f"SOURCE_DATE_EPOCH={EPOCH}") == TIME
    assert created(default).startswith("2017-07-13")
    assert created(default, env={"SOURCE_DATE_EPOCH": f"{EPOCH}"}) == TIME
    assert not created(DOCKERFILE, "--build-arg", "SOURCE_DATE_EPOCH=context").startswith("2017")
    case.answer.says("SOURCE_DATE_EPOCH=context has no effect")
    case.fails(DOCKERFILE, {"f": ""}, env={"SOURCE_DATE_EPOCH": "yesterday"}).says("error[invalid-source-date-epoch]")


@test("rewrite-timestamp makes later times the epoch, --timestamp all")
def files(case):
    destination = case.directory / "rewritten"
    case.build(DOCKERFILE, {"f": "f"}, "-o", f"type=oci,tar=false,dest={destination},rewrite-timestamp=true",
               env={"SOURCE_DATE_EPOCH": f"{EPOCH}"})
    rewritten = images.Image(destination)
    assert (times(rewritten, "old"), times(rewritten, "new"), times(rewritten, "f")) == ([100], [EPOCH], [EPOCH])
    stamped = case.image(DOCKERFILE, {"f": "f"}, "--timestamp", EPOCH, env={"SOURCE_DATE_EPOCH": "77"})
    assert (times(stamped, "old"), times(stamped, "new"), times(stamped, "f")) == ([EPOCH], [EPOCH], [EPOCH])
    assert stamped.config["created"] == TIME and stamped.config["history"][-1]["created"] == TIME
    # The base image's layer stays as it is.
    assert stamped.layers[0]["digest"] == rewritten.layers[0]["digest"]
    case.fails(DOCKERFILE, {"f": "f"}, "--timestamp", "soon").says("error[invalid-argument]", "it is no number of seconds")


@test("an epoch is the time of every file in outputs that are no image")
def trees(case):
    out, archive = case.directory / "out", case.directory / "out.tar"
    case.build(DOCKERFILE, {"f": "f"}, "-o", out, "-o", f"type=tar,dest={archive}", env={"SOURCE_DATE_EPOCH": f"{EPOCH}"})
    assert {os.lstat(out / name).st_mtime for name in ("old", "new", "f", "bin")} == {EPOCH}
    with tarfile.open(archive) as members:
        assert {member.mtime for member in members} == {EPOCH}
    plain = case.directory / "plain"
    case.build(DOCKERFILE, {"f": "f"}, "-o", plain)
    assert os.lstat(plain / "old").st_mtime == 100 and os.lstat(plain / "new").st_mtime > time.time() - 3600
