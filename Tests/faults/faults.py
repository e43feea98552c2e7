"""Lets every call of a small build that changes a file fail, one by one, and looks at what comes of it.

faults.c is preloaded into whittle, so that SQLite's calls fail as well as our own. For each kind of failure (a full disk for
one call and for good, an input/output error, an interrupted call, a call that does half of its work) and each number of a
call: the build succeeds with the right image, or ends with an error message; it never traps, never hangs, and never gives
another image. Then a build without faults on the same store gives the right image, and `whittle fsck` finds nothing.

Settings: FAULTS_SAMPLE=N (only about N calls of each kind, evenly spread; 0: all), FAULTS_KINDS (comma-separated), SAVE_TEMPS.
`FAULTS_ONLY=KIND:N` repeats one case and shows what whittle printed.
"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "integration"))
import layout  # noqa: E402

WHITTLE = os.environ["WHITTLE"]
KINDS = ("ENOSPC", "ENOSPC+", "EIO", "EINTR", "SHORT")

DOCKERFILE = """
FROM base AS one
COPY f d /in/
RUN cat /in/f > /one; touch -d @1700000000 /one
FROM base
ADD archive.tar.gz /unpacked
COPY --link --from=one /one /
RUN --mount=type=cache,target=/c cat /one > /two; ln /two /three; touch -d @1700000000 /two
"""


def base_image(directory):
    """Few files, so that few calls unpack them: busybox and the names that the steps use."""
    program = pathlib.Path(shutil.which("busybox")).read_bytes()
    entries = [layout.directory(name) for name in ("bin", "dev", "etc", "proc", "sys", "tmp")]
    entries += [layout.file("bin/busybox", program, 0o755)]
    entries += [layout.link(f"bin/{name}", "busybox") for name in ("sh", "cat", "touch", "ln")]
    entries += [layout.file("etc/resolv.conf"), layout.file("etc/hosts")]
    return layout.BaseImage.of(directory, [entries], config={"Env": ["PATH=/bin"]})


class Faults:
    def __init__(self, directory):
        self.directory = directory
        self.library = directory / "faults.so"
        compiler = shutil.which("cc") or shutil.which("clang")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", self.library, here / "faults.c", "-ldl"], check=True)
        self.base = base_image(directory / "base")
        self.context = directory / "context"
        (self.context / "d").mkdir(parents=True)
        (self.context / "f").write_bytes(b"f" * 100_000)
        (self.context / "d/g").write_text("g")
        subprocess.run(["tar", "-C", self.context, "-czf", self.context / "archive.tar.gz", "d"], check=True)
        (directory / "Dockerfile").write_text(DOCKERFILE)
        self.store, self.output = directory / "store", directory / "layout"
        self.counter, self.log = directory / "counter", directory / "log"

    def build(self, environment=None):
        command = [WHITTLE, "build", "--root", self.store, "--progress=plain", "--jobs", "1", "--build-context",
                   f"base=oci-layout://{self.base.directory}:latest", "-f", self.directory / "Dockerfile",
                   "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "-t", "app",
                   "-o", f"type=oci,tar=false,dest={self.output}", self.context]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60,
                              env={**os.environ, **(environment or {})})

    def digest(self):
        try:
            entries = json.loads((self.output / "index.json").read_text())["manifests"]
        except FileNotFoundError:
            return None
        return entries[-1]["digest"]

    def clear(self):
        for path in (self.store, self.output):
            shutil.rmtree(path, ignore_errors=True)

    def faulty(self, kind, number):
        """Builds with a failure; returns the result and how many calls were counted."""
        self.counter.write_bytes(bytes(8))
        self.log.write_text("")
        environment = {"LD_PRELOAD": str(self.library), "FAULT_PROGRAM": os.path.realpath(WHITTLE),
                       "FAULT_COUNTER": str(self.counter), "FAULT_LOG": str(self.log),
                       "FAULT_AT": str(number), "FAULT_KIND": kind.removesuffix("+")}
        if kind.endswith("+"):
            environment["FAULT_STAYS"] = "1"
        result = self.build(environment)
        return result, struct.unpack("<Q", self.counter.read_bytes())[0]

    def reference(self):
        self.clear()
        result = self.build()
        assert result.returncode == 0, result.stderr
        return self.digest()

    def check(self, kind, number, reference):
        """What went wrong in one case, or None."""
        self.clear()
        try:
            result, _ = self.faulty(kind, number)
        except subprocess.TimeoutExpired:
            return "the build hangs"
        self.last = result
        if result.returncode == 0:
            if self.digest() != reference:
                return f"another image: {self.digest()} instead of {reference}"
        elif result.returncode != 1:
            return f"exit status {result.returncode}"
        elif "error" not in result.stderr:
            return "it failed without an error"
        elif self.digest() not in (None, reference):
            return f"another image after an error: {self.digest()}"
        again = self.build()
        if again.returncode != 0:
            return f"the next build failed:\n{again.stderr[-1500:]}"
        if self.digest() != reference:
            return f"the next build gave another image: {self.digest()} instead of {reference}"
        fsck = subprocess.run([WHITTLE, "fsck", "--root", self.store], capture_output=True, text=True, timeout=60)
        if fsck.returncode != 0 or "note:" in fsck.stdout:
            return f"whittle fsck: {fsck.returncode}\n{fsck.stdout}{fsck.stderr}"
        return None


def run(faults, kinds, sample, only):
    reference = faults.reference()
    failures, cases, errors = [], 0, 0
    for kind in kinds:
        faults.clear()
        result, count = faults.faulty(kind, 0)
        assert result.returncode == 0 and faults.digest() == reference, result.stderr
        step = max(1, count // sample) if sample else 1
        numbers = [int(only)] if only else range(1 + (step // 2 if sample else 0), count + 1, step)
        print(f"faults: {kind}: {len(numbers)} of {count} calls", flush=True)
        for number in numbers:
            cases += 1
            problem = faults.check(kind, number, reference)
            errors += faults.last.returncode != 0
            if only:
                print(faults.log.read_text() + faults.last.stderr)
            if problem:
                failures.append(f"{kind}:{number}")
                print(f"FAIL  {kind} at call {faults.log.read_text().strip() or number}: {problem}\n"
                      f"{faults.last.stderr[-1500:]}\n      again: FAULTS_ONLY={kind}:{number}", flush=True)
    print(f"faults: {cases} cases, {errors} ended with an error, {len(failures)} failed")
    return failures


def main():
    kind, _, only = os.environ.get("FAULTS_ONLY", "").partition(":")
    kinds = [kind] if kind else os.environ.get("FAULTS_KINDS", ",".join(KINDS)).split(",")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="whittle-faults."))
    try:
        failures = run(Faults(directory), kinds, int(os.environ.get("FAULTS_SAMPLE", "0")), only)
    finally:
        if os.environ.get("SAVE_TEMPS"):
            print(f"faults: kept {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
