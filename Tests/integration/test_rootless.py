"""Builds and containers of an ordinary user, who gets the same images as root."""
import contextlib
import grp
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tarfile

import harness
import image
import layout
from harness import test
from webserver import WebServer

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# CAP_NET_RAW, permitted and effective: VFS_CAP_REVISION_2 as the kernel writes it for root.
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")[:20]


class User:
    """An ordinary user made for one test, with a directory of its own."""

    def __init__(self, case, name, ranges):
        self.case, self.name = case, name
        self.home = case.directory / "home"
        subprocess.run(["useradd", "--no-create-home", "--home-dir", self.home, name], check=True, capture_output=True)
        # What useradd lends by itself depends on the system's settings.
        for file in ("/etc/subuid", "/etc/subgid"):
            lines = [line for line in pathlib.Path(file).read_text().splitlines() if not line.startswith(f"{name}:")]
            lines += [f"{name}:{first}:{count}" for first, count in ranges]
            pathlib.Path(file).write_text("".join(f"{line}\n" for line in lines))
        self.uid, self.gid = pwd.getpwnam(name).pw_uid, grp.getgrnam(name).gr_gid
        case.directory.chmod(0o755)
        self.home.mkdir(mode=0o700)
        shutil.copytree(case.base.directory, self.home / "busybox")
        self.program = self.home / "whittle"
        shutil.copy(harness.WHITTLE, self.program)
        self.own()

    def own(self):
        subprocess.run(["chown", "-R", f"{self.uid}:{self.gid}", self.home], check=True)

    def command(self, *arguments):
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups", "--reset-env",
                "env", f"HOME={self.home}", *map(str, arguments)]

    def whittle(self, *arguments, **more):
        return self.case.run(self.command("env", f"PATH={PATH}", self.program, *arguments), **more)

    def build(self, context, *options, **more):
        return self.whittle("build", "--progress=plain", "--build-context", f"busybox=oci-layout://{self.home}/busybox:latest",
                            *options, context, **more)


@contextlib.contextmanager
def user(case, ranges=((200_000_000, 65536),)):
    """A user, or None with a printed reason where this machine has none to give."""
    name = f"whittle-test-{os.getpid()}"
    missing = [program for program in ("useradd", "userdel", "newuidmap", "setpriv") if shutil.which(program) is None]
    if os.geteuid() != 0 or missing:
        print(f"      steps aside: needs root and {', '.join(missing) or 'no more'}")
        yield None
        return
    try:
        made = User(case, name, ranges)
        probe = subprocess.run(made.command("unshare", "--user", "true"), capture_output=True, text=True)
        if probe.returncode != 0:
            print(f"      steps aside: the kernel lets users make no user namespace: {probe.stderr.strip()}")
            yield None
            return
        yield made
    finally:
        subprocess.run(["userdel", name], capture_output=True)


def archive(path):
    """All that is hard to make without being root."""
    capability = {"SCHILY.xattr.security.capability": CAPABILITY.decode("latin-1")}
    attribute = {"SCHILY.xattr.user.note": "kept"}
    entries = [
        layout.directory("tree", uid=0),
        layout.directory("tree/dir", mode=0o1777, uid=7, gid=65535),
        layout.file("tree/dir/hidden", b"x"),
        layout.directory("tree/closed", mode=0, uid=3),
        layout.file("tree/gone", b"x", uid=65000),
        layout.file("tree/suid", b"#!/bin/sh\n", mode=0o6755, uid=1000, gid=1001),
        layout.file("tree/capable", b"x", mode=0o755, pax_headers=capability),
        layout.file("tree/noted", b"x", pax_headers=attribute),
        layout.entry("tree/null", tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3, gid=5),
        layout.entry("tree/disk", tarfile.BLKTYPE, mode=0o640, devmajor=259, devminor=1048575, gid=6),
        layout.entry("tree/fifo", tarfile.FIFOTYPE, mode=0o622, uid=12),
        layout.link("tree/link", "/no/such"),
        layout.hard_link("tree/same", "tree/noted"),
    ]
    path.write_bytes(layout.tar(entries))


DOCKERFILE = """
FROM busybox AS made
ADD tree.tar /
FROM busybox
ADD tree.tar /
COPY --from=made /tree /copy
COPY --chown=1234:4321 --chmod=750 script /bin/script
RUN rm /tree/gone /bin/script && rm -rf /tree/dir && mkdir /tree/dir && echo new >/tree/dir/new && \\
    chown 60000:60001 /tree/dir/new && chmod 4755 /tree/dir/new && mkfifo /tree/pipe && ln -s x /tree/sym && \\
    touch -h -d @1700000000 /tree/dir/new /tree/pipe /tree/sym && \\
    touch -d @1700000000 /tree/dir /tree /bin /
USER 1234:4321
CMD ["sh", "-c", "id -u; cat /tree/dir/new; echo x 2>/dev/null >/new || echo refused"]
"""


@test("an ordinary user builds from an archive on standard input and from a URL as root does")
def remote_contexts(case):
    files = {"Dockerfile": b"FROM busybox\nCOPY . /in/\nADD $URL/data /data\n", "a.txt": b"a"}
    with user(case) as somebody, WebServer({"/data": b"data\n"}) as web:
        if somebody is None:
            return
        entries = [layout.directory("own", mode=0o700, uid=77, gid=78)]
        for name, content in files.items():
            entries.append(layout.file(name, content.replace(b"$URL", web.url.encode()), uid=4242))
        entries.append(layout.entry("null", tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3))
        archive = layout.tar(entries)
        web.files["/context.tar"] = archive
        output = somebody.home / "image"
        somebody.build("-", "-o", f"type=oci,tar=false,dest={output}", stdin=archive)
        built = image.Image(output)
        assert built.read("/data") == "data\n" and built.read("/in/a.txt") == "a"
        assert not built.has("/in/null") and built.member("/in/a.txt").uid == 0
        assert " CACHED" in somebody.build(f"{web.url}/context.tar", "-o", "type=cacheonly").text


@test("an ordinary user builds the same image as root: owners, modes, attributes, deletions, devices")
def same_image(case):
    context = case.context({"script": "#!/bin/sh\n", "Dockerfile": DOCKERFILE, "tree.tar": archive})
    for path in (context, *context.iterdir()):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    own = case.directory / "as-root"
    case.build(None, None, "-o", f"type=oci,tar=false,dest={own}", context=context)
    with user(case) as person:
        if person is None:
            return
        theirs = shutil.copytree(context, person.home / "context")
        person.own()
        person.build(theirs, "-t", "app")
        person.build(theirs, "-o", f"type=oci,tar=false,dest={person.home}/image")
        mine, other = image.Image(own), image.Image(person.home / "image")
        for number in range(len(mine.layers)):
            names = mine.entries(number)
            assert names.keys() == other.entries(number).keys(), number
            for name, entry in names.items():
                assert entry.get_info() | {"pax": entry.pax_headers} == \
                    other.entries(number)[name].get_info() | {"pax": other.entries(number)[name].pax_headers}, name
        assert [layer["digest"] for layer in mine.layers] == [layer["digest"] for layer in other.layers]
        last = mine.last_entries()
        assert {"tree/.wh.gone", "bin/.wh.script", "tree/dir/.wh..wh..opq"} <= last.keys(), last.keys()
        # Every layer written anew, from what is in the user's store.
        output = "type=oci,tar=false,compression=zstd,force-compression=true,dest="
        case.build(None, None, "-o", f"{output}{case.directory}/again", context=context)
        person.build(theirs, "-o", f"{output}{person.home}/again")
        mine, other = image.Image(case.directory / "again"), image.Image(person.home / "again")
        assert [layer["digest"] for layer in mine.layers] == [layer["digest"] for layer in other.layers]

        assert person.whittle("run", "app").out == "1234\nnew\nrefused\n"
        assert person.whittle("run", "--network", "none", "-u", "0", "app", "ls", "/sys/class/net").out == "lo\n"
        person.whittle("images").says("app")
        person.build(theirs, "-o", f"type=local,dest={person.home}/files")
        assert os.stat(person.home / "files/tree/suid").st_uid == person.uid
        person.whittle("fsck")
        person.whittle("prune", "--all", "--force")
        store = person.home / ".local/share/whittle"
        foreign = [path for path in store.rglob("*") if path.lstat().st_uid != person.uid]
        assert foreign == [], foreign


@test("the containers and mounts of an ordinary user end with their process")
def ends(case):
    with user(case) as person:
        if person is None:
            return
        context = person.home / "context"
        context.mkdir()
        (context / "Dockerfile").write_text("FROM busybox\nRUN echo ready && sleep 123454321\n")
        person.own()
        for number, status in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
            running = case.start(person.command(
                "env", f"PATH={PATH}", person.program, "build", "--progress=plain", "--build-context",
                f"busybox=oci-layout://{person.home}/busybox:latest", context))
            running.wait_for(" ready")
            # setpriv and env have become whittle.
            running.signal(number)
            assert running.end().status == status
            case.assert_nothing_left("123454321")
        # The next command clears up what the killed one left.
        (context / "Dockerfile").write_text("FROM busybox\nRUN echo x >/x\n")
        person.build(context)
        assert list((person.home / ".local/share/whittle/active").iterdir()) == []


@test("an ordinary user is told what is missing")
def obstacles(case):
    with user(case, ranges=()) as person:
        if person is None:
            return
        context = person.home / "context"
        context.mkdir()
        (context / "Dockerfile").write_text("FROM busybox\n")
        person.own()
        person.build(context, status=1).says(
            "error[no-namespaces]", "find user ids to use in /etc/subuid and /etc/subgid", "usermod --add-subuids")
        person.whittle("images")
        for file in ("/etc/subuid", "/etc/subgid"):
            with open(file, "a") as lines:
                lines.write(f"{person.uid}:200000000:100\n")
        answer = case.run(person.command("env", "PATH=/nowhere", person.program, "build", context), status=1)
        answer.says("run newuidmap and newgidmap", "apt install uidmap")
        (context / "Dockerfile").write_text("FROM busybox\nCOPY --chown=5000 Dockerfile /\n")
        person.build(context, status=1).says("error[file-system]")
        for file in ("/etc/subuid", "/etc/subgid"):
            path = pathlib.Path(file)
            path.write_text("".join(line for line in path.read_text().splitlines(True)
                                    if not line.startswith(f"{person.uid}:")))
