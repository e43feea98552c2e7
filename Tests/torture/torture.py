"""Kills and interrupts a cold build at random moments, and looks at what is left each time.

The build is small: a base image from an OCI layout, parallel stages, RUN, COPY, a cache mount, an image in the store and an
OCI layout. It starts from an empty store, so that every part of it is at work at some moment; every third time from the
store that the last kill left.

After each kill: no process, mount or container of the build is left; the next build gives the same image; `whittle fsck` finds
nothing; nothing is left below `active/` and no temporary file is in the store. After each SIGINT or SIGTERM the program has
ended within five seconds and says that it was cancelled, or had finished.

Settings: TORTURE_KILLS (500), TORTURE_SIGNALS (100), TORTURE_SEED (else random; printed). `TORTURE_SEED=S:N` repeats only the
N-th moment of seed S.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from layout import BaseImage  # noqa: E402

WHITTLE = os.environ["WHITTLE"]
# Moments lie between the start and this many times the duration of an undisturbed build.
REACH = 1.1

# Times are set by hand, so that the image has the same digest whenever it is built.
DOCKERFILE = """
FROM busybox AS one
COPY a /a
RUN --mount=type=cache,target=/cache cat /a/* > /one; echo x >> /cache/count; sleep 0.01; touch -d @1700000000 /one
FROM busybox AS two
RUN for n in 1 2 3 4 5 6 7 8; do echo $n > /f$n; done; cat /f* > /two; touch -d @1700000000 /f* /two
FROM busybox AS three
RUN --network=none mkdir -p /d/e && echo three > /d/e/three && touch -d @1700000000 /d/e/three /d/e /d
COPY b /b
FROM busybox
COPY --from=one /one /
COPY --link --from=two /two /
COPY --from=three /d /d
RUN cat /one /two /d/e/three | wc -c > /count && rm /bin/vi && touch -d @1700000000 /count /bin
"""

class Torture:
    def __init__(self, directory, seed):
        self.directory, self.seed = directory, seed
        self.base = BaseImage.busybox(directory / "busybox")
        self.context = directory / "context"
        for number in range(60):
            path = self.context / ("a" if number % 2 else "b") / f"f{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(str(number).encode() * 997)
        (directory / "Dockerfile").write_text(DOCKERFILE)
        self.store = directory / "store"
        self.image_id = directory / "iid"

    # ---- the build

    def command(self, *options):
        return [WHITTLE, "build", "--root", self.store, "--progress=plain", "--build-context",
                f"busybox=oci-layout://{self.base.directory}:latest", "-f", self.directory / "Dockerfile",
                "--build-arg", "SOURCE_DATE_EPOCH=1700000000",
                "-o", f"type=oci,tar=false,dest={self.directory}/layout", *options, self.context]

    def build(self):
        """Builds undisturbed, and returns the digest of the image's manifest."""
        result = subprocess.run(
            list(map(str, self.command())), capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, f"the next build failed:\n{result.stderr[-3000:]}"
        return json.loads((self.directory / "layout/index.json").read_text())["manifests"][-1]["digest"]

    def duration(self):
        """Builds three times from nothing; returns the time that takes, and the digest that all three gave."""
        times, digests = [], set()
        for _ in range(3):
            self.clear()
            started = time.monotonic()
            digests.add(self.build())
            times.append(time.monotonic() - started)
            time.sleep(0.5)
        assert len(digests) == 1, f"three builds gave {digests}"
        return sorted(times)[1], digests.pop()

    def clear(self):
        for path in (self.store, self.directory / "layout"):
            shutil.rmtree(path, ignore_errors=True)

    # ---- what must hold afterwards

    def check(self, reference):
        self.nothing_left()
        found = self.build()
        assert found == reference, f"another image: {found} instead of {reference}"
        result = subprocess.run([WHITTLE, "fsck", "--root", str(self.store)], capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, f"whittle fsck: {result.returncode}\n{result.stdout}{result.stderr}"
        assert "note:" not in result.stdout, result.stdout
        left = [str(path.relative_to(self.directory)) for path in self.strays()]
        assert not left, f"left: {left}"
        self.nothing_left()

    def strays(self):
        yield from (self.store / "active").iterdir()
        for pattern in ("*.tmp", "*.corrupt", "contexts/*.tmp", "snapshots/*/*.tmp", "blobs/sha256/*.tmp"):
            yield from self.store.glob(pattern)
        yield from (path for path in (self.directory / "layout").rglob("*.tmp"))

    def nothing_left(self):
        """Processes get a moment to end: the kernel kills those of a PID namespace after its first."""
        deadline = time.monotonic() + 5
        while True:
            left = self.processes() + self.mounts()
            if not left:
                return
            assert time.monotonic() < deadline, f"left: {left}"
            time.sleep(0.02)

    def processes(self):
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes() + b" " + os.readlink(path / "root").encode()
            except OSError:
                continue
            if str(self.directory).encode() in words and int(path.name) != os.getpid():
                found.append(f"process {path.name}: {words[:200]}")
        return found

    def mounts(self):
        return [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
                if str(self.directory) in line]

    # ---- one moment

    def disturb(self, number, moment, keeps_store):
        """Starts the build, and sends the signal after `moment` seconds. True if the build was still running."""
        if not keeps_store:
            self.clear()
        process = subprocess.Popen(
            list(map(str, self.command())), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        time.sleep(moment)
        was_running = process.poll() is None
        process.send_signal(number)
        started = time.monotonic()
        try:
            _, text = process.communicate(timeout=5 if number != signal.SIGKILL else 20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"still running {time.monotonic() - started:.1f} s after the signal")
        if number != signal.SIGKILL and was_running:
            expected = (0, 128 + number, -number)
            assert process.returncode in expected, f"exit status {process.returncode}\n{text.decode()[-2000:]}"
        return was_running


def plan(seed, kills, signals, duration):
    """The moments of a seed. They are fractions of the build's duration, so that they mean the same on another machine."""
    generator = random.Random(seed)
    moments = [(signal.SIGKILL, generator.uniform(0, REACH), generator.random() < 1 / 3) for _ in range(kills)]
    moments += [(generator.choice((signal.SIGINT, signal.SIGTERM)), generator.uniform(0, REACH), generator.random() < 1 / 3)
                for _ in range(signals)]
    return [(number, fraction * duration, keeps) for number, fraction, keeps in moments]


def main():
    seed, _, only = os.environ.get("TORTURE_SEED", "").partition(":")
    seed = int(seed or random.randrange(1 << 32))
    kills, signals = int(os.environ.get("TORTURE_KILLS", "500")), int(os.environ.get("TORTURE_SIGNALS", "100"))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="whittle-torture."))
    failures, running = [], 0
    started = time.monotonic()
    try:
        torture = Torture(directory, seed)
        duration, reference = torture.duration()
        print(f"torture: seed {seed}, {kills} kills, {signals} interrupts, a build takes {duration:.2f} s", flush=True)
        moments = plan(seed, kills, signals, duration)
        for index, (number, moment, keeps) in enumerate(moments):
            if only and index != int(only):
                continue
            try:
                running += torture.disturb(number, moment, keeps and index > 0)
                torture.check(reference)
            except Exception as error:  # whatever it is, the others are still to be tried
                failures.append(index)
                name = signal.Signals(number).name
                print(f"FAIL  {name} after {moment:.3f} s: {error}\n      again: TORTURE_SEED={seed}:{index}", flush=True)
                if os.environ.get("SAVE_TEMPS"):
                    shutil.copytree(torture.store, directory / f"failed-{index}", symlinks=True, dirs_exist_ok=True)
                torture.clear()
            if (index + 1) % 50 == 0:
                print(f"torture: {index + 1} of {len(moments)}, {len(failures)} failed, "
                      f"{time.monotonic() - started:.0f} s", flush=True)
    finally:
        if os.environ.get("SAVE_TEMPS") and failures:
            print(f"torture: kept {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print(f"torture: {running} builds were hit while they ran; {len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
