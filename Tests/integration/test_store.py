"""Looking after the store: prune, du, --keep-storage and fsck."""
import json
import os
import pathlib
import re
import subprocess
import time

from harness import test

DOCKERFILE = """
FROM busybox AS build
COPY f /f
RUN --mount=type=cache,target=/c dd if=/dev/urandom of=/big bs=64k count=16; echo x > /c/x
FROM busybox
COPY --from=build /big /big
"""


def measured(case):
    return int(subprocess.run(["du", "-s", "-B1", case.store], capture_output=True, text=True).stdout.split()[0])


def fsck(case, *options, status=0):
    return case.run(case.command("fsck", "--root", case.store, *options), status=status)


def prune(case, *options):
    return case.run(case.command("prune", "--root", case.store, "--force", *options))


def usage(case, *options):
    answer = case.run(case.command("du", "--root", case.store, "--format", "json", *options))
    return [json.loads(line) for line in answer.out.splitlines()]


@test("du counts what du(1) counts, and says what can be reclaimed")
def disk_usage(case):
    case.build(DOCKERFILE, {"f": "f"}, "-t", "app")
    usage(case)  # measures, and writes what it found to the database
    table = case.run(case.command("du", "--root", case.store)).says("RECLAIMABLE", "LAST ACCESSED", "Total:").out
    objects = usage(case)
    overhead = sum(path.lstat().st_blocks * 512 for path in [
        case.store, *(p for p in case.store.iterdir() if p.name != "blobs"), case.store / "blobs", case.store / "blobs/sha256"])
    total = sum(each["Size"] for each in objects) + overhead
    assert abs(total - measured(case)) <= 64 << 10, (total, measured(case), table)
    types = {each["Type"] for each in objects}
    # What is known of a context is written only for files that are older than two seconds.
    assert types - {"source.local"} == {"regular", "layer", "internal", "exec.cachemount"}, types
    assert [each["Type"] for each in usage(case, "--filter", "type=exec.cachemount")] == ["exec.cachemount"]
    case.run(case.command("du", "--root", case.store, "--filter", "kind=x"), status=1).says("there is no field 'kind'")


@test("prune leaves named images and their cache, prune --all leaves the images")
def prune_all(case):
    context = case.context({"f": "f"})
    case.build(DOCKERFILE, {}, "-t", "app", context=context)
    dry = case.run(case.command("prune", "--root", case.store, "--dry-run")).says("Would delete", "Total reclaimable space: ")
    before = len(usage(case))
    prune(case).says("Deleted build cache objects:", "mount-", "Total reclaimed space: 1.")
    assert len(usage(case)) == before - len(re.findall(r"^\S+$", dry.out, re.M)), usage(case)
    # The last stage is what the image was made from; the other one is gone.
    prune(case, "--all").says("chain-")
    left = usage(case)
    assert not any(each["Reclaimable"] for each in left), left
    fsck(case).says("nothing wrong", "1 image ")
    # The image still is a base.
    image = case.image("FROM app\nRUN ls -l /big > /l\n")
    assert "1048576" in image.read("/l")
    prune(case, "--all")
    assert case.image(DOCKERFILE, context=context).layers
    fsck(case)


@test("prune takes what was used least recently first, and stops at the limit")
def least_recent(case):
    for number in (1, 2, 3):
        case.build(f"FROM busybox\nRUN dd if=/dev/urandom of=/n{number} bs=64k count=16\n", {}, "-o", "type=cacheonly")
        time.sleep(0.02)
    case.build("FROM busybox\nRUN dd if=/dev/urandom of=/n1 bs=64k count=16\n", {}, "-o", "type=cacheonly")  # used again
    usage(case)
    limit = measured(case) - (1 << 20)
    prune(case, "--keep-storage", str(limit))
    assert measured(case) <= limit, (measured(case), limit)
    left = [each["Description"] for each in usage(case, "--filter", "description~=n[123]")]
    assert not any("n2" in each for each in left) and any("n1" in each for each in left), left
    prune(case, "--filter", "until=1h").says("Total reclaimed space: 0B")
    assert not case.build("FROM busybox\nRUN dd if=/dev/urandom of=/n1 bs=64k count=16\n").ran("RUN dd")


@test("--keep-storage is a ceiling after each build, and says what stands against it")
def keep_storage(case):
    for number in range(4):
        case.build(f"FROM busybox\nRUN dd if=/dev/urandom of=/n{number} bs=64k count=32\n", {}, "--keep-storage", "8m",
                   "-o", "type=cacheonly").says("keeping the store below")
        assert measured(case) <= 8 << 20, measured(case)
    answer = case.build("FROM busybox\nRUN dd if=/dev/urandom of=/n bs=64k count=32\n", {}, "-t", "big",
                        env={"WHITTLE_KEEP_STORAGE": "1m"})
    answer.says("belong to named images", "larger than 1.05MB")
    case.fails("FROM busybox\n", {}, "--keep-storage", "lots").says("it is no size")
    fsck(case)


@test("prune beside a running build takes nothing that the build uses")
def beside_a_build(case):
    dockerfile = ("FROM busybox AS a\nRUN echo a > /a\nFROM busybox\nCOPY --from=a /a /a\n"
                  "RUN --mount=type=cache,target=/c touch /c/kept; sleep 3; test -f /c/kept && cat /a > /b\n")
    case.build(dockerfile.split("RUN --mount")[0])
    running = case.start(case.build_command(case.context(), "-t", "app", dockerfile=dockerfile))
    running.wait_for("RUN --mount")
    for _ in range(3):
        prune(case, "--all")
        time.sleep(0.5)
    assert any(each["InUse"] for each in usage(case)), usage(case)
    answer = running.end()
    assert answer.status == 0, answer.text
    fsck(case).says("1 image ")
    prune(case, "--all")
    image = case.image("FROM app\nRUN cat /b > /seen\n")
    assert image.read("/seen") == "a\n"


@test("builds and prunes at once give right images and a sound store")
def prune_storm(case):
    context = case.context({"f": "f"})
    dockerfile = "FROM busybox AS a\nCOPY f /f\nRUN cat /f > /g\nFROM busybox\nCOPY --from=a /g /g\nRUN cat /g > /h\n"
    outputs = []
    for round_number in range(4):
        builds = []
        for number in range(2):
            output = case.directory / f"storm-{round_number}-{number}"
            outputs.append(output)
            builds.append(case.start(case.build_command(
                context, "-t", f"app{number}", "-o", f"type=oci,tar=false,dest={output}", dockerfile=dockerfile)))
        while any(build.process.poll() is None for build in builds):
            prune(case, "--all")
        for build in builds:
            answer = build.end()
            assert answer.status == 0, answer.text
    import image
    for output in outputs:
        assert image.Image(output).read("/h") == "f"
    fsck(case)


@test("fsck finds damage, --repair drops it, and the next build makes it again")
def repair(case):
    context = case.context({"f": "f"})
    case.build(DOCKERFILE, {}, "-t", "app", context=context)
    fsck(case).says("nothing wrong")
    blobs = sorted((case.store / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    blobs[-1].write_bytes(blobs[-1].read_bytes()[:-100])
    blobs[0].write_bytes(b"x" * blobs[0].stat().st_size)
    changed = next(path for path in (case.store / "snapshots").glob("step-*/fs/big")
                   if json.loads((path.parent.parent / "meta.json").read_text())["parent"].startswith("chain-"))
    with changed.open("r+b") as file:
        file.write(b"damage")
    fsck(case, status=1).says("have the digest", "it lacks", "'whittle fsck --repair' drops")
    fsck(case, "--repair", status=1).says(": dropped")
    fsck(case).says("nothing wrong")
    image = case.image(DOCKERFILE, context=context)
    assert len(image.layers) == 2
    case.build(DOCKERFILE, {}, "-t", "app", context=context)
    fsck(case).says("1 image ")


@test("fsck says 2 where it cannot look, and 0 where there is nothing")
def cannot_check(case):
    case.run(case.command("fsck", "--root", case.directory / "none"), status=0).says("there is no store")
    case.build("FROM busybox\nRUN echo a > /a\n")
    (case.store / "version").write_text("99\n")
    fsck(case, status=2).says("store-version")


@test("a database that is no database is put aside, found by fsck and removed")
def damaged_database(case):
    context = case.context({"f": "f"})
    case.build(DOCKERFILE, {}, "-t", "app", context=context)
    (case.store / "whittle.db").write_bytes(b"not a database at all" * 1000)
    for suffix in ("-wal", "-shm"):
        (case.store / f"whittle.db{suffix}").unlink(missing_ok=True)
    case.build(DOCKERFILE, {}, "-t", "app", context=context)
    fsck(case, status=1).says("whittle.db.corrupt")
    fsck(case, "--repair", status=1)
    fsck(case)


@test("prune makes room on a full disk")
def full_disk(case):
    case.store.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", case.store], check=True)
    try:
        case.build("FROM busybox\nRUN dd if=/dev/zero of=/big bs=1M count=12\n", {}, "-o", "type=cacheonly")
        filler = case.store / "blobs" / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1M"], capture_output=True)
        prune(case, "--all").says("Total reclaimed space: 1")
        filler.unlink()
        case.build("FROM busybox\nRUN echo small > /s\n", {}, "-o", "type=cacheonly")
        fsck(case)
    finally:
        subprocess.run(["umount", "-l", case.store], check=True)
