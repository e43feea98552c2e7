"""Equal inputs make equal images: another store, checkout, moment, number of threads."""
import os
import pathlib
import shutil
import subprocess
import time

from harness import test
from image import Image

FILES = {
    ".dockerignore": ".git\n", "src/b.txt": "b\n", "src/a.txt": "a\n", "src/deep/er/c.txt": "c\n", "run.sh": "#!/bin/sh\necho hello\n",
}
DOCKERFILE = """
FROM busybox AS build
WORKDIR /work
COPY src/ src/
RUN mkdir -p /out/sub && date +%s%N | cut -c 1-2 > /dev/null && cp -r src /out/ && ln src/a.txt /out/linked \\
    && ln /out/linked /out/sub/linked && echo "$SOURCE_DATE_EPOCH" > /out/epoch && touch -d @1000000 /out/old
FROM busybox
ENV A=b
COPY --from=build /out /out
COPY --chmod=755 run.sh /usr/local/bin/
ADD --chown=1000:1000 . /all
RUN echo second > /second && hostname > /hostname && cat /etc/hosts > /hosts && rm /out/epoch
LABEL x=y
CMD ["run.sh"]
"""


def git(place, *words, date=1_650_000_000):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *map(str, words)], cwd=place, check=True,
        capture_output=True, env={**environment, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_DATE": f"@{date} +0200"})


def age(root, seconds):
    """Another time for everything in a directory, made in another order."""
    for parent, directories, names in os.walk(root, topdown=False):
        for name in directories + names:
            os.utime(pathlib.Path(parent) / name, (seconds, seconds), follow_symlinks=False)


@test("two checkouts of one commit, built in two stores at two times with other numbers of steps, are one image")
def checkouts(case):
    origin = case.context(FILES)
    (origin / "Dockerfile").write_text(DOCKERFILE)
    git(origin, "init", "-q")
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "m")
    images = []
    for number, (jobs, layout) in enumerate([(1, "gzip"), (8, "gzip")]):
        context = case.directory / f"checkout-{number}" / ("x" * (number + 1))
        git(case.directory, "clone", "-q", origin, context)
        age(context, 1_000_000_000 + number * 600_000_000)
        image = case.image(None, None, "--reproducible", "--jobs", jobs, context=context,
                           store=case.directory / f"store-{number}")
        case.answer.says("SOURCE_DATE_EPOCH=1650000000", "git commit")
        images.append(image)
        time.sleep(1.1)
    first, second = images
    assert first.descriptor == second.descriptor, compare(first, second)
    assert first.config["created"] == "2022-04-15T05:20:00Z"
    own = [entry["created"] for entry in first.config["history"]][-6:]
    assert own == ["2022-04-15T05:20:00Z"] * 6, own
    assert first.descriptor["annotations"]["org.opencontainers.image.created"] == "2022-04-15T05:20:00Z"
    times = {name: entry.mtime for number in range(1, len(first.layers)) for name, entry in first.entries(number).items()}
    assert max(times.values()) == 1_650_000_000, times
    assert times["out/old"] == 1_000_000 and times["all/src/a.txt"] == 1_650_000_000, times


def compare(first, second):
    text = [f"{first.config} {second.config}"]
    for number in range(max(len(first.layers), len(second.layers))):
        if first.layers[number] != second.layers[number]:
            text.append(f"layer {number}: {first.entries(number)} {second.entries(number)}")
    return "\n".join(text)


@test("SOURCE_DATE_EPOCH wins over git, and commands see it")
def variable(case):
    context = case.context(FILES)
    git(context, "init", "-q")
    git(context, "commit", "-q", "--allow-empty", "-m", "m")
    lines = "FROM busybox\nRUN echo $SOURCE_DATE_EPOCH > /epoch\n"
    for more in ({"env": {"SOURCE_DATE_EPOCH": "86400"}}, {}):
        options = [] if more else ["--build-arg", "SOURCE_DATE_EPOCH=86400"]
        image = case.image(lines, None, "--reproducible", *options, context=context, **more)
        assert image.read("/epoch") == "86400\n"
        assert image.member("/epoch").mtime == 86400 and image.config["created"] == "1970-01-02T00:00:00Z"
    assert case.image("FROM busybox\nARG SOURCE_DATE_EPOCH=5\nENV SOURCE_DATE_EPOCH=6\n" + lines[13:], None,
                      "--reproducible", context=context).read("/epoch") == "6\n"
    # Without the flag, only the image's own times follow it, as in BuildKit.
    image = case.image(lines, None, context=context, env={"SOURCE_DATE_EPOCH": "86400"})
    assert image.read("/epoch") == "\n" and image.member("/epoch").mtime > 1_700_000_000
    assert image.config["created"] == "1970-01-02T00:00:00Z"


@test("without git the epoch is the newest of the files that are used and the base image")
def newest_input(case):
    context = case.context({"used": "u", "unused": "x", "hidden": "h", ".dockerignore": "hidden\n"})
    for name, seconds in {"used": 1_800_000_000, "unused": 1_900_000_000, "hidden": 1_950_000_000}.items():
        os.utime(context / name, (seconds, seconds))
    image = case.image("FROM busybox\nCOPY use* /\n", None, "--reproducible", context=context)
    case.answer.says("SOURCE_DATE_EPOCH=1800000000", "newest")
    assert image.config["created"] == "2027-01-15T08:00:00Z"
    base = case.image("FROM busybox\nRUN touch /x\n", None, "--reproducible", context=context)
    assert base.config["created"] == "2023-11-14T22:13:20Z", base.config["created"]


@test("rewrite-timestamp=true sets the times in layers without --reproducible, and asks for an epoch")
def rewrite(case):
    destination = case.directory / "rewritten"
    output = f"type=oci,tar=false,dest={destination},rewrite-timestamp=true"
    case.fails("FROM busybox\nRUN touch /x\n", {}, "-o", output).says("error[epoch-missing]", "SOURCE_DATE_EPOCH")
    case.build("FROM busybox\nRUN touch /x\n", {}, "-o", output, "--build-arg", "SOURCE_DATE_EPOCH=77")
    image = Image(destination)
    assert image.member("/x").mtime == 77
    assert image.layers[0] == case.image("FROM busybox\n").layers[0], "the base image changed"


@test("tar and local outputs of a reproducible build have its times")
def trees(case):
    arguments = ["--reproducible", "--build-arg", "SOURCE_DATE_EPOCH=1000000"]
    case.build("FROM busybox\nRUN touch /x\n", {}, *arguments, "-o", f"type=local,dest={case.directory}/tree")
    assert (case.directory / "tree" / "x").stat().st_mtime == 1_000_000
    digests = set()
    for store in ("one", "two"):
        case.build("FROM busybox\nRUN touch /x\n", {}, *arguments, "-o", f"type=tar,dest={case.directory}/x.tar",
                   store=case.directory / store)
        digests.add((case.directory / "x.tar").read_bytes())
    assert len(digests) == 1


@test("every level of compression gives the same bytes on two stores; level 1 does not depend on the processor")
def levels(case):
    for spec in ("gzip,compression-level=1", "gzip,compression-level=9", "zstd", "uncompressed"):
        layers = []
        for store in ("a", "b"):
            destination = case.directory / "levels"
            case.build("FROM busybox\nRUN seq 300000 > /numbers\n", {}, "--reproducible",
                       "--build-arg", "SOURCE_DATE_EPOCH=5", "-o",
                       f"type=oci,tar=false,dest={destination},compression={spec}", store=case.directory / store)
            layers.append(Image(destination).layers)
            shutil.rmtree(destination)
        assert layers[0] == layers[1], spec


@test("an epoch that is no time is an error")
def bad_epoch(case):
    for value in ("today", "-1", "253402300800", "99999999999999999999"):
        case.fails("FROM busybox\n", {}, "--build-arg", f"SOURCE_DATE_EPOCH={value}").says(
            "error[invalid-source-date-epoch]", value)
