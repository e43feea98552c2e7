"""What tests stand on: a base image made of busybox-static, a case with its own store, and what whittle answered."""
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import typing

import image
from layout import BaseImage

WHITTLE = os.environ.get("WHITTLE", "whittle")
TESTS = []


@dataclasses.dataclass
class Test:
    title: str
    module: str
    body: typing.Callable


def test(title):
    """Marks a function as a test; the title says what the program does."""
    def mark(body):
        TESTS.append(Test(title, body.__module__.removeprefix("test_"), body))
        return body
    return mark


def prepare(directory):
    """Makes the base image that every case builds on."""
    Case.base = BaseImage.busybox(directory / "busybox")


@dataclasses.dataclass
class Answer:
    """What whittle printed and returned."""
    status: int
    out: str
    err: str

    @property
    def text(self):
        return self.out + self.err

    def says(self, *fragments):
        for fragment in fragments:
            assert fragment in self.text, f"does not say: {fragment}\n{self.text[-3000:]}"
        return self

    def says_not(self, *fragments):
        for fragment in fragments:
            assert fragment not in self.text, f"says: {fragment}\n{self.text[-3000:]}"
        return self

    def cached_steps(self):
        return sum(line.endswith(" CACHED") for line in self.text.splitlines())

    def ran(self, command):
        """Whether a step with this text was performed and not found in the cache."""
        for line in self.text.splitlines():
            if line.startswith("#") and "] " in line and command in line:
                return f"\n{line.split()[0]} CACHED" not in self.text
        return False


class Case:
    """One test: a temporary directory with a store and contexts of its own."""
    base: BaseImage = None

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="whittle-test."))
        self.store = self.directory / "store"
        self.log = []
        self.contexts = 0

    def finish(self):
        if os.environ.get("SAVE_TEMPS"):
            print(f"      kept: {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    # ---- inputs

    def context(self, files=None):
        """A new directory with these files: text, bytes, or a function that makes the path itself."""
        self.contexts += 1
        root = self.directory / f"context-{self.contexts}"
        root.mkdir()
        self.add(root, files or {})
        return root

    def add(self, root, files):
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if callable(content):
                content(path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    # ---- commands

    def command(self, *arguments):
        return [WHITTLE, *map(str, arguments)]

    def build_command(self, context, *options, dockerfile=None, store=None):
        file = []
        if dockerfile is not None:
            path = self.directory / f"Dockerfile-{len(self.log)}-{time.monotonic_ns()}"
            path.write_bytes(dockerfile if isinstance(dockerfile, bytes) else dockerfile.encode())
            file = ["-f", path]
        return self.command("build", "--root", store or self.store, "--progress=plain", "--build-context",
                            f"busybox=oci-layout://{self.base.directory}:latest", *file, *options, context)

    def run(self, command, status=0, stdin=None, env=None, timeout=120):
        """Runs a command and asserts its exit status; `None` takes any."""
        result = subprocess.run(
            [str(word) for word in command], input=stdin, capture_output=True, timeout=timeout,
            env={**os.environ, **(env or {})}, cwd=self.directory)
        answer = Answer(result.returncode, result.stdout.decode(errors="replace"), result.stderr.decode(errors="replace"))
        self.log.append(f"$ {' '.join(map(str, command))}\n{answer.text[-3000:]}")
        if status is not None:
            assert answer.status == status, f"exit status {answer.status}, not {status}\n{answer.text[-3000:]}"
        return answer

    def build(self, dockerfile, files=None, *options, context=None, status=0, **more):
        """Builds; `files` make a new context unless one is given."""
        env, stdin, timeout = more.pop("env", None), more.pop("stdin", None), more.pop("timeout", 120)
        context = context or self.context(files)
        return self.run(self.build_command(context, *options, dockerfile=dockerfile, **more), status=status,
                        env=env, stdin=stdin, timeout=timeout)

    def image(self, dockerfile, files=None, *options, **more):
        """Builds into an OCI layout and reads it."""
        destination = self.directory / f"image-{time.monotonic_ns()}"
        self.answer = self.build(dockerfile, files, "-o", f"type=oci,tar=false,dest={destination}", *options, **more)
        return image.Image(destination)

    def fails(self, dockerfile, files=None, *options, **more):
        """Builds what cannot be built, and returns what whittle said."""
        answer = self.build(dockerfile, files, *options, status=None, **more)
        assert answer.status != 0, f"it built\n{answer.text[-2000:]}"
        return answer

    def start(self, command, env=None):
        return Running(command, self, env)

    # ---- what must not stay

    def assert_nothing_left(self, marker):
        """No mount below this case's directory, and no process whose command line has `marker`."""
        deadline = time.monotonic() + 10
        while True:
            mounts = [line for line in pathlib.Path("/proc/mounts").read_text().splitlines()
                      if str(self.directory) in line]
            processes = processes_with(marker)
            if not mounts and not processes:
                return
            assert time.monotonic() < deadline, f"left: {mounts} {processes}"
            time.sleep(0.05)


class Running:
    """A whittle that is at work."""

    def __init__(self, command, case, env=None):
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})}, start_new_session=True, cwd=case.directory)
        self.case, self.text, self.changed = case, "", threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while chunk := os.read(self.process.stdout.fileno(), 1 << 16):
            with self.changed:
                self.text += chunk.decode(errors="replace")
                self.changed.notify_all()

    def wait_for(self, fragment, timeout=60):
        with self.changed:
            found = self.changed.wait_for(lambda: fragment in self.text, timeout)
        assert found, f"never said: {fragment}\n{self.text[-2000:]}"

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, timeout=60):
        """The exit status and everything that was printed."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise AssertionError(f"still running after {timeout} s\n{self.text[-2000:]}")
        self.reader.join(5)
        self.case.log.append(self.text[-3000:])
        return Answer(status, self.text, "")


def processes_with(marker):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if marker.encode() in words:
            found.append(b" ".join(words).decode(errors="replace"))
    return found


def read_json(path):
    return json.loads(pathlib.Path(path).read_text())
