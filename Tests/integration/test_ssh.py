"""SSH agents and keys in steps: RUN --mount=type=ssh and --ssh."""
import contextlib
import os
import shutil
import signal
import subprocess
import time

import harness
from harness import test
from test_rootless import user


def client(root):
    """ssh-add with its libraries, below `root`: the client that steps ask the agent with."""
    listing = subprocess.run(["ldd", "/usr/bin/ssh-add"], check=True, capture_output=True, text=True).stdout
    for path in ["/usr/bin/ssh-add"] + [word for word in listing.split() if word.startswith("/")]:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def key(case, name, passphrase=""):
    """A key pair; the private key's path."""
    path = case.directory / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", f"key-{name}", "-f", path], check=True)
    return path


@contextlib.contextmanager
def agent(case, *keys, socket=None):
    """An ssh-agent with these keys; gives its socket."""
    socket = socket or case.directory / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        for path in keys:
            subprocess.run(["ssh-add", "-q", path], env={**os.environ, "SSH_AUTH_SOCK": str(socket)}, check=True)
        yield socket
    finally:
        process.kill()
        process.wait()


def keys_of(socket):
    return subprocess.run(["ssh-add", "-l"], env={**os.environ, "SSH_AUTH_SOCK": str(socket)}, capture_output=True,
                          text=True).stdout


def context(case):
    root = case.context()
    client(root / "root")
    return root


def assert_no_agent():
    """That no ssh-agent of whittle runs: they listen below the process that started them."""
    deadline = time.monotonic() + 10
    while agents := [line for line in harness.processes_with("ssh-agent") if " /proc/" in line]:
        assert time.monotonic() < deadline, agents
        time.sleep(0.05)


BASE = "FROM busybox\nCOPY root/ /\n"


@test("a step lists the keys of the agent, at BuildKit's place, and nothing of it is in the image")
def lists(case):
    with agent(case, key(case, "a")) as socket:
        image = case.image(BASE + """
RUN --mount=type=ssh ssh-add -l > /keys && echo $SSH_AUTH_SOCK > /place && stat -c '%a %u:%g %F' $SSH_AUTH_SOCK > /stat
RUN [ ! -e /run/buildkit ] && [ -z "$SSH_AUTH_SOCK" ]
""", None, "--ssh", "default", context=context(case), env={"SSH_AUTH_SOCK": str(socket)})
    assert "key-a (ED25519)" in image.read("/keys"), image.read("/keys")
    assert image.read("/place") == "/run/buildkit/ssh_agent.0\n"
    assert image.read("/stat") == "600 0:0 socket\n", image.read("/stat")
    assert not image.has("/run/buildkit")
    case.assert_nothing_left("never-a-process")


@test("the agent signs, and refuses to be changed: no key is added, removed or locked")
def filtered(case):
    with agent(case, key(case, "a")) as socket:
        shutil.copy(key(case, "b"), case.directory / "b.key")
        root = context(case)
        shutil.copy(case.directory / "b.key", root / "root" / "b")
        shutil.copy(case.directory / "a.pub", root / "root" / "a.pub")
        image = case.image(BASE + """
RUN chmod 600 /b
RUN --mount=type=ssh ssh-add -T /a.pub && touch /signed
RUN --mount=type=ssh ! ssh-add /b && ! ssh-add -D && ! ssh-add -d /a.pub && ssh-add -l | wc -l > /count
""", None, "--ssh", f"default={socket}", context=root)
        assert "key-a" in keys_of(socket) and "key-b" not in keys_of(socket)
    assert image.has("/signed") and image.read("/count") == "1\n"


@test("id=, target=, uid=, gid= and mode= of the mount; a user reaches a socket that is hers, and no other")
def options(case):
    with agent(case, key(case, "a")) as socket:
        image = case.image(BASE + """
RUN --mount=type=ssh,id=other,target=/agents/one,uid=1000,gid=1001,mode=0660 \\
    stat -c '%a %u:%g' /agents/one > /stat && echo $SSH_AUTH_SOCK > /place
RUN mkdir /out && chown 1000 /out
USER 1000:1001
RUN --mount=type=ssh,id=other,uid=1000 ssh-add -l > /out/own
RUN --mount=type=ssh,id=other ! ssh-add -l
""", None, "--ssh", f"other={socket}", context=context(case))
    assert image.read("/stat") == "660 1000:1001\n"
    assert image.read("/place") == "/agents/one\n"
    assert "key-a" in image.read("/out/own")
    assert not image.has("/agents")


@test("keys from files are forwarded by an agent that ends with the build")
def keys(case):
    first, second = key(case, "a"), key(case, "b")
    image = case.image(BASE + "RUN --mount=type=ssh,id=k ssh-add -l > /keys\n", None, "--ssh", f"k={first},{second}",
                       context=context(case))
    assert "key-a" in image.read("/keys") and "key-b" in image.read("/keys"), image.read("/keys")
    assert_no_agent()
    private = first.read_text().splitlines()[2]
    assert not image.contains_bytes(private.encode())
    for path in case.store.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert private.encode() not in path.read_bytes(), path


@test("after kill -9 neither the agent of keys nor a socket's server stays")
def killed(case):
    marker = f"{time.monotonic_ns()}"
    running = case.start(case.build_command(
        context(case), "--ssh", f"default={key(case, 'a')}",
        dockerfile=BASE + f"RUN --mount=type=ssh ssh-add -l && echo up && sleep {marker}\n"))
    running.wait_for("up\n")
    running.signal(signal.SIGKILL)
    running.end()
    case.assert_nothing_left(marker)
    assert_no_agent()


@test("what is not given is absent, and an error with a hint where it is required")
def missing(case):
    case.build("FROM busybox\nRUN --mount=type=ssh [ ! -e /run/buildkit/ssh_agent.0 ]\n")
    case.fails("FROM busybox\nRUN --mount=type=ssh,id=githup,required true\n", {}, "--ssh",
               f"github={key(case, 'a')}").says("error[ssh-missing]", ":2:", "'githup'", "'github'", "--ssh")


@test("an agent or key that cannot be had is an error before anything runs")
def unavailable(case):
    environment = {"SSH_AUTH_SOCK": ""}
    for value, words in {
        "default": ("ssh-unavailable", "SSH_AUTH_SOCK"), "a=/no/such": ("ssh-unavailable", "/no/such"),
        f"a={key(case, 'locked', 'passphrase')}": ("ssh-unavailable", "passphrase", "ssh-add"),
        f"a={key(case, 'k')}.pub": ("ssh-unavailable", "private key", ".pub"),
        "a=,": ("invalid-ssh",),
    }.items():
        case.fails("FROM busybox\nRUN echo started\n", {}, "--ssh", value, env=environment).says(*words).says_not("#1 ")


@test("an agent that went away fails the step that mounts it")
def gone(case):
    with agent(case) as socket:
        pass
    if not socket.exists():  # some agents remove it even when they are killed
        import socket as sockets
        left = sockets.socket(sockets.AF_UNIX)
        left.bind(str(socket))
        left.close()
    case.fails("FROM busybox\nRUN --mount=type=ssh true\n", {}, "--ssh", f"default={socket}").says(
        "error[ssh-agent-failed]", str(socket), ":2:")


@test("another agent, other keys or none at all invalidate nothing")
def not_in_keys(case):
    dockerfile = "FROM busybox\nRUN --mount=type=ssh echo ran > /ran\n"
    case.build(dockerfile, {}, "--ssh", f"default={key(case, 'a')}")
    assert not case.build(dockerfile, {}, "--ssh", f"default={key(case, 'b')}").ran("RUN --mount")
    assert not case.build(dockerfile).ran("RUN --mount")


@test("an ordinary user forwards her agent and her keys")
def rootless(case):
    with user(case) as someone:
        if someone is None:
            return
        root = context(case)
        (root / "Dockerfile").write_text(BASE + """
RUN --mount=type=ssh ssh-add -l > /keys
RUN mkdir /out && chown 1000 /out
USER 1000
RUN --mount=type=ssh,uid=1000 --mount=type=ssh,id=file,uid=1000,target=/f \\
    ssh-add -l > /out/agent && SSH_AUTH_SOCK=/f ssh-add -l > /out/file
""")
        for name in ("a", "b"):
            shutil.move(key(case, name), someone.home / name)
        someone.own()
        subprocess.run(["chmod", "-R", "a+rX", root], check=True)
        socket = someone.home / "agent.sock"
        process = subprocess.Popen(someone.command("ssh-agent", "-D", "-a", socket), stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            subprocess.run(someone.command("env", f"SSH_AUTH_SOCK={socket}", "ssh-add", "-q", someone.home / "a"),
                           check=True)
            someone.build(root, "--ssh", f"default={socket}", "--ssh", f"file={someone.home}/b", "-o",
                          f"type=local,dest={someone.home}/out")
        finally:
            process.kill()
            process.wait()
        out = someone.home / "out"
        assert "key-a" in (out / "keys").read_text()
        assert "key-a" in (out / "out/agent").read_text()
        assert "key-b" in (out / "out/file").read_text()
