"""Images of the store: listed, described, named, removed, saved and loaded."""
import json
import os
import subprocess
import sys

from docker import FakeDocker
from harness import test

DOCKERFILE = 'FROM busybox\nLABEL stage=test v=1\nENV A=1\nCOPY f /f\nCMD ["cat", "/f"]\n'
FILES = {"f": "content\n"}


def whittle(case, command, *arguments, **more):
    return case.run(case.command(*command.split(), "--root", case.store, *arguments), **more)


@test("images are listed by templates, as tables and as JSON, and filtered")
def listed(case):
    case.build(DOCKERFILE, FILES, "-t", "app:1", "-t", "example.org/team/app:2")
    case.build("FROM scratch\nCOPY f /f\n", FILES, "-t", "other")
    lines = whittle(case, "images", "--format", r"{{.Repository}}\t{{upper .Tag}}\t{{.Size}}").out.splitlines()
    assert {line.split("\t")[0] for line in lines} == {"app", "example.org/team/app", "other"}, lines
    table = whittle(case, "images", "--format", r"table {{.Repository}}\t{{.ID}}\t{{.CreatedSince}}").out.splitlines()
    assert table[0].split() == ["REPOSITORY", "IMAGE", "ID", "CREATED"] and len(table) == 4, table
    assert len({line.index(line.split()[1]) for line in table}) == 1, table
    rows = [json.loads(line) for line in whittle(case, "images", "--format", "json").out.splitlines()]
    assert {row["Repository"] for row in rows} == {"app", "example.org/team/app", "other"}
    ids = whittle(case, "images", "-q", "--filter", "label=stage=test").out.split()
    assert len(ids) == 1, ids
    assert whittle(case, "images", "--filter", "label=stage=none", "--format", "{{.ID}}").out == ""
    assert whittle(case, "images", "--filter", "reference=example.org/*/app", "--format", "{{.Tag}}").out == "2\n"
    since = whittle(case, "images", "--filter", "since=other", "--format", "{{.Repository}}").out
    before = whittle(case, "images", "--filter", "before=other", "--format", "{{.Repository}}").out
    assert "other" not in since + before
    whittle(case, "images", "--format", "{{.Repo}}", status=1).says("column 3", "'.Repo'", "'.Repository'")
    whittle(case, "images", "--filter", "lable=x", status=1).says("did you mean 'label'")


@test("history takes templates, and inspect has docker's JSON and templates")
def described(case):
    case.build(DOCKERFILE, FILES, "-t", "app:1")
    steps = whittle(case, "history", "app:1", "--no-trunc", "--format", "{{.Size}} {{.CreatedBy}}").out.splitlines()
    assert steps[0] == '0B CMD ["cat" "/f"]' or steps[0].startswith("0B CMD"), steps
    assert any(line.endswith("COPY f /f # buildkit") for line in steps), steps
    document = json.loads(whittle(case, "inspect", "app:1").out)[0]
    assert document["RepoTags"] == ["app:1"] and document["Config"]["Labels"] == {"stage": "test", "v": "1"}, document
    assert document["Os"] == "linux" and len(document["RootFS"]["Layers"]) == 2, document
    assert whittle(case, "inspect", "-f", "{{.Config.Cmd}} {{.Id}}", "app:1").out == f"[cat /f] {document['Id']}\n"
    assert whittle(case, "inspect", "-f", "{{json .Config.Labels}}", "app:1").out == '{"stage":"test","v":"1"}\n'
    assert whittle(case, "inspect", "-f", '{{index .Config.Labels "v"}}', document["Id"][7:15]).out == "1\n"
    config = json.loads(whittle(case, "inspect", "--raw", "config", "app:1").out)
    assert config["config"]["Cmd"] == ["cat", "/f"], config
    manifest = json.loads(whittle(case, "inspect", "--raw", "manifest", "app:1").out)
    assert manifest["config"]["digest"] == document["Id"], manifest
    answer = whittle(case, "inspect", "none", "app:1", status=1)
    assert json.loads(answer.out)[0]["Id"] == document["Id"]
    answer.says("there is no image 'none'")


@test("images get and lose names, and go with the last one or by force")
def named_and_removed(case):
    case.build(DOCKERFILE, FILES, "-t", "app:1")
    name = whittle(case, "images", "--no-trunc", "-q").out.strip()
    whittle(case, "tag", "app:1", "example.org/team/app:x")
    whittle(case, "tag", name[7:19], "other")
    assert len(whittle(case, "image ls", "--format", "{{.ID}}").out.split()) == 3
    whittle(case, "rmi", name[7:14], status=1).says("3 names", "--force")
    assert whittle(case, "rmi", "other").out == "Untagged: other:latest\n"
    assert whittle(case, "image rm", "-f", name[7:14]).out == (
        f"Untagged: app:1\nUntagged: example.org/team/app:x\nDeleted: {name}\n")
    assert whittle(case, "images", "-q").out == ""
    assert not (case.store / "blobs/sha256" / name[7:]).exists()
    whittle(case, "rmi", "app:1", status=1).says("there is no image 'app:1'")
    whittle(case, "rmi", "-f", "app:1").says("there is no image 'app:1'")
    whittle(case, "tag", "app:1", "b", status=1).says("there is no image 'app:1'")


@test("saved images are read by skopeo, umoci and tar, and loaded again")
def saved_and_loaded(case):
    case.build(DOCKERFILE, FILES, "-t", "app:1", "-t", "example.org/app:2")
    case.build("FROM scratch\nCOPY f /only\n", FILES, "-t", "small")
    before = whittle(case, "images", "--no-trunc", "--digests", "--format", "{{.Repository}} {{.ID}} {{.Digest}} {{.Size}}").out
    whittle(case, "save", "-o", case.directory / "all.tar", "app:1", "example.org/app", "small")
    for tag in ("app:1", "example.org/app:2", "small:latest"):
        case.run(["skopeo", "inspect", f"docker-archive:{case.directory}/all.tar:{tag}"])
    whittle(case, "save", "--format", "oci", "-o", case.directory / "small.tar", "small")
    case.run(["skopeo", "copy", "-q", f"oci-archive:{case.directory}/small.tar", f"oci:{case.directory}/layout:t"])
    case.run(["umoci", "unpack", "--image", f"{case.directory}/layout:t", case.directory / "bundle"])
    assert (case.directory / "bundle/rootfs/only").read_text() == "content\n"
    for pack in (["cat"], ["gzip", "-c"], ["zstd", "-qc"]):
        packed = subprocess.run(pack, stdin=open(case.directory / "all.tar", "rb"), capture_output=True, check=True).stdout
        store = case.directory / f"store-{pack[0]}"
        loaded = case.run(case.command("load", "--root", store), stdin=packed)
        assert loaded.out.splitlines() == [f"Loaded image: {name}" for name in ("app:1", "example.org/app:2", "small:latest")]
        after = case.run(case.command("images", "--root", store, "--no-trunc", "--format",
                                      "{{.Repository}} {{.ID}} {{.Digest}} {{.Size}}")).out
        assert sorted(after.splitlines()) == sorted(before.splitlines()), (before, after)
    case.build(f"FROM app:1\nRUN cat /f > /g\n", {}, "-t", "above", store=case.directory / "store-cat")


@test("archives of skopeo in docker's old form are loaded, and run as they did")
def docker_archives(case):
    case.build(DOCKERFILE, FILES, "-t", "app:1")
    whittle(case, "save", "-o", case.directory / "new.tar", "app:1")
    case.run(["skopeo", "copy", "-q", f"docker-archive:{case.directory}/new.tar",
              f"docker-archive:{case.directory}/old.tar:old:3"])
    store = case.directory / "other"
    answer = case.run(case.command("load", "--root", store, "-i", case.directory / "old.tar"))
    assert answer.out == "Loaded image: old:3\n", answer.out
    name = whittle(case, "images", "-q").out
    assert case.run(case.command("images", "--root", store, "-q")).out == name
    case.run(case.command("prune", "--root", store, "-f", "--all"))
    case.run(case.command("fsck", "--root", store))
    case.build("FROM old:3\nRUN grep content /f\n", {}, store=store)
    case.run(case.command("prune", "--root", store, "-f", "--all"))
    case.run(case.command("rmi", "--root", store, "old:3"))
    assert list((store / "blobs/sha256").iterdir()) == []
    size = subprocess.run(["du", "-s", store / "active"], capture_output=True, text=True).stdout
    assert int(size.split()[0]) < 20, size


@test("a bad archive is refused, and nothing of it stays")
def bad_archives(case):
    case.build("FROM scratch\nCOPY f /f\n", FILES, "-t", "app:1")
    whittle(case, "save", "-o", case.directory / "good.tar", "app:1")
    good = (case.directory / "good.tar").read_bytes()
    store = case.directory / "other"
    changed = bytearray(good)
    changed[changed.index(b'"rootfs"')] = ord("x")
    for bad, words in ((good[:3000], "archive"), (b"", "empty"), (b"plain text", "archive"),
                       (bytes(changed), "has the digest"), (b"\x1f\x8b\x08\x00garbage", "gzip")):
        answer = case.run(case.command("load", "--root", store), stdin=bad, status=1).says("error[", words)
        assert answer.out == ""
        left = [path for path in store.rglob("*") if path.is_file() and path.name != "version"]
        assert left == [], left
    case.run(case.command("load", "--root", store, "-i", case.directory / "none.tar"), status=1).says("none.tar")


def peak_memory(program):
    """Exit status and largest resident size, in bytes. Through a small process: the kernel counts for a new program what
    the one that started it had, and this one has run many tests."""
    script = ("import resource, subprocess, sys; status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); "
              "print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    said = subprocess.run([sys.executable, "-c", script, *map(str, program)], stdout=subprocess.PIPE, check=True).stdout
    status, kilobytes = map(int, said.split())
    return status, kilobytes << 10


@test("saving and loading a large image takes bounded memory, and a reader that goes away leaves nothing")
def bounded(case):
    def big(path):
        with open(path, "wb") as file:
            for _ in range(200):
                file.write(os.urandom(1 << 20))

    context = case.context({"big": big})
    case.build("FROM scratch\nCOPY big /\n", {}, "-t", "big", context=context)
    for command in (["save", "--root", case.store, "-o", case.directory / "big.tar", "big"],
                    ["load", "--root", case.directory / "other", "-i", case.directory / "big.tar"]):
        status, peak = peak_memory(case.command(*command))
        assert status == 0 and peak < 100 << 20, (command, status, peak)
    program = case.command("save", "--root", case.store, "big")
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    assert b"has ended" in process.stderr.read() and process.wait() == 1
    assert list((case.store / "active").iterdir()) == []


@test("--load and '-o type=docker' send the image to a Docker (a stand-in) through its socket")
def into_docker(case):
    socket, archive = case.directory / "docker.sock", case.directory / "sent.tar"
    env = {"DOCKER_HOST": f"unix://{socket}"}
    case.build(DOCKERFILE, FILES, "--load", env=env, status=1).says("docker-unreachable", str(socket)).says_not("COPY")
    with FakeDocker(socket, archive) as docker:
        case.build(DOCKERFILE, FILES, "--load", "-t", "app:1", env=env)
        assert docker.requests == ["/images/load?quiet=1"], docker.requests
        inspected = json.loads(case.run(["skopeo", "inspect", f"docker-archive:{archive}:app:1"]).out)
        assert len(inspected["Layers"]) == 2, inspected
        assert whittle(case, "images", "--format", "{{.Repository}}").out == "app\n"
        archive.unlink()
        case.build(DOCKERFILE, FILES, "-o", "type=docker", "-t", "app:2", env=env)
        case.run(["skopeo", "inspect", f"docker-archive:{archive}:app:2"])
        assert whittle(case, "images", "--format", "{{.Tag}}").out == "1\n"
    socket.unlink()
    with FakeDocker(socket, archive, error="no space left on device"):
        case.build(DOCKERFILE, FILES, "--load", env=env, status=1).says("docker-refused", "no space left on device")
    case.build(DOCKERFILE, FILES, "--load", env={"DOCKER_HOST": "tcp://1.2.3.4:2375"}, status=1).says("tcp://1.2.3.4:2375")
    case.build(DOCKERFILE, FILES, "-o", "type=docker,dest=file.tar", env={"DOCKER_HOST": "tcp://1.2.3.4:2375"})
