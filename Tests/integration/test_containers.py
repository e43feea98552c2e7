"""`whittle run`: images of the store as containers."""
import os
import pty
import re
import select
import signal
import subprocess
import time

from harness import test

DOCKERFILE = """
FROM busybox
RUN mkdir -p /etc /data && echo app:x:1234:1234::/:/bin/sh >>/etc/passwd && echo seed >/data/seed && chown -R 1234 /data
ENV A=1 B=two
WORKDIR /work
VOLUME /data
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $A $B; pwd"]
"""


def image(case, dockerfile=DOCKERFILE, name="app"):
    case.build(dockerfile, {}, "-t", name)


def run_command(case, *arguments):
    return case.command("run", "--root", case.store, *arguments)


def run(case, *arguments, **more):
    return case.run(run_command(case, *arguments), **more)


@test("an image runs with its own command, variables and directory, and with others in their place")
def basics(case):
    image(case)
    assert run(case, "app").out == "1 two\n/work\n"
    answer = run(case, "--rm", "-e", "A=9", "-e", "HOST_SIDE", "-u", "app", "-w", "/tmp", "--hostname", "box", "app",
                 "echo $A $HOST_SIDE; id -un; pwd; hostname; cat /etc/hostname; exit 7", status=7,
                 env={"HOST_SIDE": "here"})
    assert answer.out == "9 here\napp\n/tmp\nbox\nbox\n", answer.out
    assert run(case, "--entrypoint", "echo", "app", "--help", "-x").out == "--help -x\n"
    assert run(case, "--entrypoint", "", "app", "echo", "x").out == "x\n"
    file = case.directory / "variables"
    file.write_text("# comment\n\n  ONE=first value\nTWO='kept'\n")
    assert run(case, "--env-file", file, "app", 'echo "$ONE $TWO"').out == "first value 'kept'\n"
    assert run(case, "--add-host", "db:10.1.2.3", "app", "grep ^10 /etc/hosts").out == "10.1.2.3\tdb\n"


@test("input goes in, output comes out, each in its stream and to its last byte")
def streams(case):
    image(case)
    answer = run(case, "-i", "app", "cat; echo err >&2", stdin=b"x" * 1_000_000)
    assert answer.out == "x" * 1_000_000 and answer.err == "err\n"
    assert run(case, "app", "cat", stdin=b"not connected").out == ""
    process = subprocess.Popen([*run_command(case, "app", "yes")], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"y\n"
    process.stdout.close()
    assert process.wait(20) == 141
    case.assert_nothing_left(str(case.store))


@test("errors of the container's start have Docker's exit codes")
def exit_codes(case):
    image(case)
    run(case, "--entrypoint", "/nope", "app", status=127).says("error[executable-not-found]", "'/nope'").says_not(
        "executable file `")
    run(case, "--entrypoint", "/etc/passwd", "app", status=126).says("error[executable-refused]")
    run(case, "apps", status=125).says("error[unknown-image]", "did you mean 'app'?")
    run(case, "-d", "app", status=125).says("--detach")
    run(case, "-u", "nobody-here", "app", status=125).says("error[unknown-user]")
    run(case, "-it", "app", status=125, stdin=b"").says("error[not-a-terminal]")
    run(case, "-p", "80:8080", "app", status=125).says("--publish 80:8080", "listen on 80")
    assert run(case, "-p", "8080:8080", "-p", "127.0.0.1:53:53/udp", "app").out == "1 two\n/work\n"
    run(case, "--network", "bridge", "app", status=125).says("error[invalid-argument]", "host, none")
    run(case, "-w", "relative", "app", status=125).says("'relative' is not absolute")
    run(case, "--mount", "type=bind,source=/no/such,target=/x", "app", status=125).says("mount-source-not-found")
    case.build("FROM scratch\nCOPY x /x\n", {"x": ""}, "-t", "empty")
    run(case, "empty", status=125).says("error[no-command]")
    case.build("FROM scratch\nCOPY x /x\nCMD [\"/x\"]\n", {"x": ""}, "-t", "other", "--platform", "linux/arm64")
    run(case, "other", status=125).says("error[wrong-platform]", "is for linux/arm64", "linux/amd64")


@test("what a container writes is gone after it, but for its volumes and mounts")
def files(case):
    image(case)
    shared = case.context({"in": "from the host\n"})
    answer = run(case, "-v", f"{shared}:/x:ro", "-v", "named:/data", "--tmpfs", "/t:size=1m", "app",
                 "cat /x/in; touch /x/y || echo refused; ls /data; echo more >/data/more; echo x >/layer; df /t | tail -1")
    lines = answer.out.splitlines()
    assert lines[:3] == ["from the host", "refused", "seed"] and lines[3].split()[1] == "1024", lines
    assert run(case, "-v", "named:/data", "app", "ls /data; ls /layer || echo gone").out == "more\nseed\ngone\n"
    assert run(case, "app", "ls /data").out == "seed\n"
    mount = f"type=bind,src={shared},dst=/x"
    run(case, "--mount", mount, "app", "echo back >/x/out")
    assert (shared / "out").read_text() == "back\n"
    answer = run(case, "--read-only", "app", "echo x >/data/x && ls /data; echo x >/z || echo refused")
    assert answer.out == "seed\nx\nrefused\n", answer.out
    assert sorted(path.name for path in case.store.glob("active/*")) == []


@test("a container has the capabilities and the network that it is given")
def isolation(case):
    image(case)
    grep = ["app", "grep CapEff /proc/self/status"]
    assert run(case, *grep).out.split()[1] == "00000000a80425fb"
    assert run(case, "--cap-drop", "all", "--cap-add", "net_bind_service", *grep).out.split()[1] == "0000000000000400"
    assert int(run(case, "--privileged", *grep).out.split()[1], 16) & 1 << 21
    assert run(case, "--network", "none", "app", "ls /sys/class/net").out == "lo\n"
    run(case, "--cap-add", "SYS_ADMINN", "app", status=125).says("did you mean SYS_ADMIN?")


@test("signals reach the container, and end what has not begun")
def signals(case):
    image(case)
    running = case.start(run_command(case, "--name", "one", "app", "trap 'echo got; exit 5' TERM; echo ready; "
                                     "while :; do sleep 0.1; done"))
    running.wait_for("ready")
    run(case, "--name", "one", "app", status=125).says("error[container-exists]")
    running.signal(signal.SIGTERM)
    assert running.end().says("got").status == 5
    running = case.start(run_command(case, "app", "echo ready; sleep 1000"))
    running.wait_for("ready")
    running.signal(signal.SIGKILL)
    running.end()
    case.assert_nothing_left(str(case.store))


class Terminal:
    """A whittle whose terminal the test looks at."""

    def __init__(self, command):
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.execvp(command[0], [str(word) for word in command])
        self.text = ""

    def wait_for(self, pattern, timeout=30):
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, f"never showed {pattern}: {self.text!r}"
            if select.select([self.descriptor], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.descriptor, 4096).decode(errors="replace")
                except OSError:  # the other side has gone
                    time.sleep(0.1)

    def type(self, text):
        os.write(self.descriptor, text.encode())


@test("a container in a terminal has its size and keys, and gives it back, also when whittle is killed")
def terminal(case):
    import fcntl
    import struct
    import termios
    image(case)
    command = run_command(case, "-it", "--entrypoint", "sh", "app")
    script = "stty -echo; \"$@\"; echo code=$?; stty -a"
    for end in ("exit 3\n", None):
        shown = Terminal(["sh", "-c", script, "sh", *command])
        shown.wait_for("# ")
        fcntl.ioctl(shown.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 77, 0, 0))
        shown.type("stty size\n")
        shown.wait_for("31 77")
        shown.type("sleep 1000\n")
        time.sleep(0.3)
        shown.type("\x03")
        shown.type("echo after=$?\n")
        shown.wait_for("after=130")
        if end:
            shown.type(end)
            shown.wait_for("code=3")
        else:
            # The program inside; its two parents wait for it.
            pids = subprocess.run(["pgrep", "-f", "--", str(case.store)], capture_output=True, text=True).stdout.split()
            inside = [pid for pid in pids if open(f"/proc/{pid}/comm").read() == "whittle\n"]
            os.kill(int(inside[-1]), signal.SIGKILL)
            shown.wait_for("code=137")
        shown.wait_for(r"(?<!-)icanon")
        os.waitpid(shown.process, 0)
        os.close(shown.descriptor)
    case.assert_nothing_left(str(case.store))
