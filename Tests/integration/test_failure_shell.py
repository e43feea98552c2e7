"""--shell-on-failure: a person looks at the step that failed."""
import os
import termios
import time

from harness import processes_with, test
from terminal import Terminal

DOCKERFILE = """
FROM busybox
ENV HELLO=world
WORKDIR /src
COPY f .
USER 1000
RUN --mount=type=secret,id=key,mode=0444 echo compiling; echo half > /tmp/partial; exit 3
"""


def start(case, dockerfile, *options, files=None):
    words = [word for word in case.build_command(case.context(files), "--shell-on-failure", *options,
                                                 dockerfile=dockerfile) if word != "--progress=plain"]
    return Terminal(case, words)


def screen(terminal):
    return terminal.text.replace("\r\n", "\n")


@test("opens a shell with the failed step's files, mounts, environment, user and directory, then fails as before")
def shell(case):
    (case.directory / "key").write_text("t0psecret")
    terminal = start(case, DOCKERFILE, "--secret", f"id=key,src={case.directory / 'key'}", files={"f": "file"})
    terminal.wait_for("'exit' ends it")
    assert "compiling\n" in screen(terminal) and "exit code 3" in screen(terminal), screen(terminal)
    before = termios.tcgetattr(terminal.person)[3] & termios.ICANON
    terminal.type("echo \"[$(id -u) $PWD $HELLO $(cat f /tmp/partial /run/secrets/key)]\"; test -t 0 && tty; exit 9\n")
    assert terminal.end() == 1
    assert "[1000 /src world filehalf\nt0psecret]\n/dev/pts/" in screen(terminal), screen(terminal)
    end = screen(terminal).partition("leaving the step")[2]
    assert "Failed after" in end and "error[step-failed]" in end and "exit code 3" in end, end
    assert not before, "single keys reach the shell"
    case.assert_nothing_left(str(case.store))
    # The step has no result: the next build runs it again.
    case.build(DOCKERFILE, {"f": "file"}, "--secret", f"id=key,src={case.directory / 'key'}", status=1).says("exit code 3")


@test("another failure waits until the shell is left, and gets none of its own")
def waits(case):
    dockerfile = """
FROM busybox AS other
RUN sleep 1; echo second; exit 5
FROM busybox
RUN exit 3
"""
    terminal = start(case, dockerfile, "--also", "other")
    terminal.wait_for("'exit' ends it")
    terminal.type("sleep 2; echo still-$((1 + 1))\n")
    terminal.wait_for("still-2")
    terminal.type("exit\n")
    assert terminal.end() == 1
    text = screen(terminal)
    assert text.count("'exit' ends it") == 1 and "exit code 3" in text.rpartition("error[step-failed]")[2], text


@test("a program that is not there, and a file system without a shell")
def without(case):
    terminal = start(case, 'FROM busybox\nRUN ["/no/such/program"]\n')
    terminal.wait_for("'exit' ends it")
    terminal.type("exit\n")
    assert terminal.end() == 1 and "executable-not-found" in screen(terminal), screen(terminal)
    terminal = start(case, 'FROM scratch\nCOPY --from=busybox /bin/busybox /only\nRUN ["/only", "false"]\n')
    assert terminal.end() == 1
    assert "there is no shell in its file system" in screen(terminal) and "error[step-failed]" in screen(terminal)


@test("Ctrl-C is the shell's, SIGTERM ends the build and gives the terminal back")
def signals(case):
    terminal = start(case, "FROM busybox\nRUN exit 3\n")
    terminal.wait_for("'exit' ends it")
    seconds = str(1000 + os.getpid())
    terminal.type(f"sleep {seconds}\n")
    while not processes_with(seconds):
        time.sleep(0.05)
    terminal.type("\x03")
    while processes_with(seconds):
        time.sleep(0.05)
    terminal.type("echo after-$((1 + 1))\n")
    terminal.wait_for("after-2")
    terminal.process.terminate()
    assert terminal.end() == 143
    assert "build cancelled" in screen(terminal), screen(terminal)
    case.assert_nothing_left(str(case.store))


@test("--shell-on-failure needs a terminal, and says so before anything is built")
def no_terminal(case):
    case.build("FROM busybox\nRUN exit 3\n", {}, "--shell-on-failure", status=1).says(
        "not-a-terminal", "--shell-on-failure needs a terminal: standard input is none").says_not("exit 3")
