"""Git repositories: ADD, build contexts and named contexts, and what hostile ones cannot do."""
import os
import signal
import socket
import time

import gitserver
import image
from gitserver import Repository, basic
from harness import test
from test_ssh import agent, key

ADD = "FROM busybox\nADD {0} /src/\n"


def files(root):
    """The tree below a directory: path to contents."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def add(case, address, *options, **more):
    """The tree that ADD of the address makes."""
    out = case.directory / f"out-{time.monotonic_ns()}"
    case.answer = case.build(f"FROM scratch\nADD {address} /src/\n", {}, "-o", f"type=local,dest={out}", *options, **more)
    return out / "src"


@test("ADD takes the default branch, branches, tags, annotated tags and commits, without .git, with the commit's time")
def references(case):
    repository = Repository(case.directory, "r")
    first = repository.commit({"f": "one", "bin/x": "#!/bin/sh\n"})
    (repository.work / "bin/x").chmod(0o755)
    repository.git("tag", "light")
    repository.git("tag", "-m", "t", "annotated")
    repository.git("branch", "other")
    second = repository.commit({"f": "two"})
    with gitserver.server(case.directory) as server:
        tree = add(case, server.url("r"))
        assert files(tree) == {"f": b"two", "bin/x": b"#!/bin/sh\n"}, files(tree)
        assert int((tree / "f").stat().st_mtime) == repository.time
        assert (tree / "bin/x").stat().st_mode & 0o777 == 0o755 and (tree / "f").stat().st_mode & 0o777 == 0o644
        case.answer.says(f"commit {second} (refs/heads/main)")
        for reference in ("other", "light", "annotated", "refs/tags/annotated", "heads/other", first):
            assert (add(case, f"{server.url('r')}#{reference}") / "f").read_bytes() == b"one", reference
        for query in ("?branch=other", "?tag=annotated", f"?ref={first}", f"?checksum={first[:8]}&ref=light"):
            assert (add(case, f"{server.url('r')}{query}") / "f").read_bytes() == b"one", query


@test("an unchanged reference is one question and a cache hit, a commit is no question, a new commit runs again")
def cached(case):
    repository = Repository(case.directory, "r")
    first = repository.commit({"f": "one", "g": "same"})
    with gitserver.server(case.directory) as server:
        text = ADD.format(f"{server.url('r')}#main") + "RUN cat /src/f\n"
        assert case.build(text).ran("RUN cat")
        server.asked()
        answer = case.build(text)
        assert not answer.ran("ADD http") and not answer.ran("RUN cat")
        assert not any("POST" in request and "receive" in request for request in server.requests)
        asked = server.asked()
        assert len([request for request in asked if request.startswith("GET")]) == 1 and len(asked) <= 2, asked
        exact = ADD.format(f"{server.url('r')}#{first}")
        assert not case.build(exact).ran("ADD http")
        assert server.asked() == []
        # Another commit with the same files changes nothing.
        repository.commit({}, "empty")
        assert not case.build(text).ran("RUN cat")
        repository.commit({"f": "two"})
        assert case.build(text).ran("RUN cat")


@test("#:DIRECTORY takes a part, and a link in its place or a missing one is an error")
def directories(case):
    repository = Repository(case.directory, "r")
    repository.commit({"a/b/f": "deep", "g": "top"})
    os.symlink("/etc", repository.work / "out")
    os.symlink("a", repository.work / "inner")
    repository.commit()
    with gitserver.server(case.directory) as server:
        assert files(add(case, f"{server.url('r')}#:a/b")) == {"f": b"deep"}
        assert files(add(case, f"{server.url('r')}?subdir=/a&ref=main")) == {"b/f": b"deep"}
        assert "g" in files(add(case, f"{server.url('r')}#main:../../.."))
        for directory in ("out", "out/ssl", "inner/b", "none", "g"):
            case.fails(ADD.format(f"{server.url('r')}#main:{directory}")).says("error[git-directory-not-found]", ":2:")


@test("--checksum takes the beginning of the commit or of its tag, and refuses another one")
def checksum(case):
    repository = Repository(case.directory, "r")
    commit = repository.commit({"f": "x"})
    repository.git("tag", "-m", "t", "v1")
    repository.push()
    tag = repository.git("rev-parse", "v1")
    with gitserver.server(case.directory) as server:
        for value in (commit, commit[:7], tag):
            case.build(f"FROM busybox\nADD --checksum={value} {server.url('r')}#v1 /src\n")
        case.fails(f"FROM busybox\nADD --checksum={'0' * 40} {server.url('r')}#v1 /src\n").says(
            "error[git-checksum-mismatch]", commit, ":2:")
        case.fails(f"FROM busybox\nADD --checksum=beef {server.url('r')}#{commit} /src\n").says(
            "error[git-checksum-mismatch]")
        case.fails(f"FROM busybox\nADD --checksum=sha256:x {server.url('r')} /src\n").says("error[invalid-git-address]")


@test("--keep-git-dir keeps a repository that git can use, without credentials, and the same in every store")
def keeps(case):
    repository = Repository(case.directory, "r")
    commit = repository.commit({"f": "x"})
    with gitserver.server(case.directory) as server:
        url = server.url("r").replace("http://", "http://user:s3cr3t@")
        text = f"FROM scratch\nADD --keep-git-dir {url}#main /src/\n"
        trees = []
        for name in ("one", "two"):
            out = case.directory / name
            case.build(text, {}, "-o", f"type=local,dest={out}", store=case.directory / f"store-{name}")
            trees.append(files(out))
            shown = repository.git("-C", out / "src", "-c", "safe.directory=*", "log", "-1", "--format=%H")
            assert shown == commit
            assert repository.git("-C", out / "src", "-c", "safe.directory=*", "status", "--porcelain") == ""
        assert not any(b"s3cr3t" in content for content in trees[0].values())
        assert trees[0] == trees[1], [name for name in trees[0] if trees[0].get(name) != trees[1].get(name)]
        assert files(add(case, f"{server.url('r')}?keep-git-dir=false")) == {"f": b"x"}


@test("submodules are fetched with theirs, and left out with submodules=false")
def submodules(case):
    inner, middle, outer = (Repository(case.directory, name) for name in ("inner", "middle", "outer"))
    inner.commit({"i": "inner"})
    with gitserver.server(case.directory) as server:
        middle.git("submodule", "--quiet", "add", server.url("inner"), "sub")
        middle.commit({"m": "middle"})
        outer.git("submodule", "--quiet", "add", server.url("middle"), "mid")
        # A relative address means one beside the repository.
        (outer.work / ".gitmodules").write_text('[submodule "mid"]\n\tpath = mid\n\turl = ../middle.git\n')
        outer.commit({"o": "outer"})
        tree = files(add(case, server.url("outer")))
        assert tree["mid/sub/i"] == b"inner" and tree["mid/m"] == b"middle", tree.keys()
        assert not any(".git/" in name or name.endswith("/.git") for name in tree), tree.keys()
        assert "mid/m" not in files(add(case, f"{server.url('outer')}?submodules=false"))
        server.asked()
        assert not case.build(f"FROM scratch\nADD {server.url('outer')} /src/\n").ran("ADD http")


@test("a token, a header and the user of an address reach the server, and nothing else")
def credentials(case):
    repository = Repository(case.directory, "r")
    repository.commit({"f": "x"})
    with gitserver.server(case.directory, basic("x-access-token:t0k3n-value")) as server:
        text = f"FROM scratch\nADD {server.url('r')} /src/\n"
        case.fails(text).says("error[git-unauthorized]", "GIT_AUTH_TOKEN", ":2:")
        for name in ("GIT_AUTH_TOKEN", f"GIT_AUTH_TOKEN.{server.host}"):
            case.build(text, {}, "--secret", f"id={name},env=T", env={"T": "t0k3n-value"}, store=case.directory / name)
        case.fails(text, {}, "--secret", "id=GIT_AUTH_TOKEN.example.org,env=T", env={"T": "t0k3n-value"})
        case.fails(text, {}, "--secret", "id=GIT_AUTH_TOKEN,env=T", env={"T": "wr0ng-value"}).says_not("wr0ng-value")
        case.build(text, {}, "--secret", "id=GIT_AUTH_HEADER,env=T", env={"T": server.authorization})
        for path in case.directory.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert b"t0k3n-value" not in path.read_bytes(), path
        server.authorization = "Basic " + basic("user:pass")[6:]
        case.build(f"FROM scratch\nADD http://user:pass@{server.host}/r.git /src/\n")
        case.fails(f"FROM scratch\nADD http://user:other@{server.host}/r.git#x /src/\n")


@test("what is missing is named: repository, reference, commit, server")
def missing(case):
    repository = Repository(case.directory, "r")
    repository.commit({"f": "x"})
    with gitserver.server(case.directory) as server:
        case.fails(ADD.format(server.url("none"))).says("error[git-repository-not-found]", "/none.git", ":2:")
        case.fails(ADD.format(f"{server.url('r')}#nope")).says("error[git-reference-not-found]", "'nope'", ":2:")
        case.fails(ADD.format(f"{server.url('r')}#{'1' * 40}")).says("error[git-reference-not-found]", "1" * 40)
        case.fails(ADD.format(f"{server.url('r')}?subdri=x")).says("error[invalid-git-address]", "'subdir'", ":2:")
    case.fails(ADD.format("http://127.0.0.1:1/r.git")).says("error[git-failed]", ":2:")


@test("git's own protocol serves too")
def git_protocol(case):
    Repository(case.directory, "r").commit({"f": "x"})
    with gitserver.daemon(case.directory) as port:
        assert files(add(case, f"git://127.0.0.1:{port}/r.git#main")) == {"f": b"x"}
        assert files(add(case, f"git://127.0.0.1:{port}/r")) == {"f": b"x"}


@test("ssh takes the keys of --ssh and no others, and refuses a host whose key has changed")
def ssh(case):
    Repository(case.directory, "r").commit({"f": "x"})
    private = key(case, "a")
    home = {"HOME": str(case.directory), "SSH_AUTH_SOCK": ""}
    with gitserver.sshd(case.directory, private.with_suffix(".pub").read_text()) as port:
        if port is None:
            return
        url = f"ssh://{gitserver.user()}@127.0.0.1:{port}{case.directory}/served/r.git"
        case.fails(ADD.format(url), env=home).says("error[ssh-missing]", "--ssh default", ":2:")
        case.fails(ADD.format(url), {}, "--ssh", f"default={key(case, 'b')}", env=home).says(
            "error[git-unauthorized]", "--ssh")
        assert files(add(case, url, "--ssh", f"default={private}", env=home)) == {"f": b"x"}
        with agent(case, private) as sock:
            out = case.directory / "out"
            (case.directory / "served" / "unused").mkdir()
            # As a context, the agent of the user counts without --ssh.
            case.run(case.command("build", "--root", case.store, "--progress=plain", "-f", "-", "-o",
                                  f"type=local,dest={out}", url), stdin=b"FROM scratch\nCOPY f /\n",
                     env={**home, "SSH_AUTH_SOCK": str(sock)})
            assert (out / "f").read_text() == "x"
        known = case.store / "git" / "known_hosts"
        assert f"[127.0.0.1]:{port}" in known.read_text()
        other = key(case, "c").with_suffix(".pub").read_text().split()
        known.write_text(f"[127.0.0.1]:{port} {other[0]} {other[1]}\n")
        case.fails(ADD.format(url + "#main"), {}, "--ssh", f"default={private}", env=home).says(
            "error[git-unauthorized]", "known_hosts")


@test("a repository is a build context, with its Dockerfile and .dockerignore; -f names another file in it")
def context(case):
    repository = Repository(case.directory, "r")
    repository.commit({
        "Dockerfile": "FROM scratch\nCOPY . /all/\n", "f": "x", "ignored": "y", ".dockerignore": "ignored\n",
        "sub/Dockerfile": "FROM scratch\nCOPY g /g\n", "sub/g": "z", "other": "FROM scratch\nCOPY f /other\n"})
    with gitserver.server(case.directory) as server:
        def build(address, *options, **more):
            out = case.directory / f"out-{time.monotonic_ns()}"
            case.answer = case.run(case.command("build", "--root", case.store, "--progress=plain", "-o",
                                                f"type=local,dest={out}", *options, address), **more)
            return files(out)
        tree = build(server.url("r"))
        assert tree["all/f"] == b"x" and "all/ignored" not in tree and not any(".git/" in name for name in tree)
        assert build(server.url("r") + "#main").keys() == tree.keys()
        assert case.answer.cached_steps() >= 1, case.answer.text
        assert build(server.url("r") + "#main:sub") == {"g": b"z"}
        assert build(server.url("r"), "-f", "other") == {"other": b"x"}
        assert build(server.url("r"), "-f", "-", stdin=b"FROM scratch\nCOPY sub/g /h\n") == {"h": b"z"}
        kept = build(server.url("r"), "--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1")
        assert "all/.git/HEAD" in kept, kept.keys()
        named = build(case.context({"Dockerfile": "FROM scratch\nCOPY --from=src f /from\n"}), "--build-context",
                      f"src={server.url('r')}#main")
        assert named == {"from": b"x"}
        assert build(case.context({"Dockerfile": "FROM src\n"}), "--build-context", f"src={server.url('r')}#:sub")["g"]
        case.run(case.command("build", "--root", case.store, server.url("r"), "-f", "none"), status=1).says(
            "error[dockerfile-not-found]")


@test("with --reproducible the epoch is the time of the context's commit")
def epoch(case):
    repository = Repository(case.directory, "r")
    repository.commit({"Dockerfile": "FROM scratch\nCOPY f /\n", "f": "x"})
    with gitserver.server(case.directory) as server:
        case.run(case.command("build", "--root", case.store, "--progress=plain", "--reproducible", "-o",
                              "type=cacheonly", server.url("r"))).says(f"SOURCE_DATE_EPOCH={repository.time}")
        out = case.directory / "image"
        case.run(case.command("build", "--root", case.store, "--build-arg", "SOURCE_DATE_EPOCH=context", "-o",
                              f"type=oci,tar=false,dest={out}", server.url("r"))).says_not("has no effect")
        assert image.Image(out).config["created"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(repository.time))


@test("a repository runs nothing: no hook, no setting, no filter, no helper, no file as a submodule")
def hostile(case):
    mark = case.directory / "ran"
    repository = Repository(case.directory, "r")
    secret = Repository(case.directory, "secret")
    secret.commit({"s": "private"})
    repository.commit({"f": "x", ".gitattributes": "f filter=evil\n", ".lfsconfig": "[lfs]\n\turl = x\n",
                       "hooks/post-checkout": f"#!/bin/sh\ntouch {mark}\n"})
    with gitserver.server(case.directory) as server:
        home = {"HOME": str(case.directory)}
        (case.directory / ".gitconfig").write_text(
            f"[filter \"evil\"]\n\tsmudge = touch {mark}; cat\n[core]\n\tfsmonitor = touch {mark}\n"
            f"[credential]\n\thelper = \"!touch {mark};\"\n[core]\n\tsshCommand = touch {mark}\n")
        assert files(add(case, f"{server.url('r')}?keep-git-dir", env=home))["f"] == b"x"
        assert not mark.exists()
        for url in (str(secret.bare), f"file://{secret.bare}", f"ext::sh -c touch% {mark}"):
            (repository.work / ".gitmodules").write_text(f'[submodule "s"]\n\tpath = s\n\turl = {url}\n')
            repository.git("update-index", "--add", "--cacheinfo", f"160000,{secret.git('rev-parse', 'HEAD')},s")
            (repository.work / "s").mkdir(exist_ok=True)
            repository.git("add", ".gitmodules")
            repository.git("commit", "-q", "-m", "s")
            repository.push()
            case.fails(ADD.format(server.url("r"))).says("error[git-failed]", "not allowed", ":2:")
        assert not mark.exists()
    for address in ("--upload-pack=x@host:a", "http://h/a.git#--upload-pack=touch", "ssh://-oProxyCommand=touch/a.git"):
        case.fails(f"FROM busybox\nADD {address} /src/\n")
    assert not mark.exists()


@test("a tree that is larger than --max-layer-size is refused before it is written")
def too_large(case):
    repository = Repository(case.directory, "r")
    repository.commit({"f": b"\0" * 3_000_000})
    with gitserver.server(case.directory) as server:
        text = f"FROM scratch\nADD {server.url('r')} /src/\n"
        case.fails(text, {}, "--max-layer-size", "2MB").says("error[git-too-large]", ":2:")
        case.build(text, {}, "--max-layer-size", "20MB")


@test("a repository that is damaged or was left locked in the store is fetched again")
def damaged(case):
    repository = Repository(case.directory, "r")
    repository.commit({"f": "one"})
    with gitserver.server(case.directory) as server:
        add(case, server.url("r"))
        bare = next(path for path in (case.store / "git").iterdir() if path.is_dir())
        commit = repository.commit({"f": "two"})
        (bare / "shallow.lock").touch()
        (bare / "refs/whittle").mkdir(parents=True, exist_ok=True)
        (bare / "refs/whittle" / f"{commit}.lock").touch()
        assert (add(case, server.url("r")) / "f").read_bytes() == b"two"
        repository.commit({"f": "three"})
        for pack in bare.glob("objects/*/*"):
            pack.chmod(0o644)
            pack.write_bytes(b"damaged")
        assert (add(case, server.url("r")) / "f").read_bytes() == b"three"


@test("du lists the repositories of the store, and prune removes them")
def pruned(case):
    repository = Repository(case.directory, "r")
    repository.commit({"f": "one"})
    with gitserver.server(case.directory) as server:
        add(case, server.url("r"))
        case.run(case.command("du", "--root", case.store, "--format", "json")).says("source.git.checkout")
        case.run(case.command("prune", "--root", case.store, "--all", "--force"))
        assert not any(path.is_dir() for path in (case.store / "git").iterdir())
        case.run(case.command("du", "--root", case.store, "--format", "json")).says_not("source.git.checkout")
        assert (add(case, server.url("r")) / "f").read_bytes() == b"one"


@test("Ctrl-C ends a git that waits for a server, and nothing of it stays")
def interrupted(case):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/r.git"
        running = case.start(case.build_command(case.context(), dockerfile=ADD.format(url)))
        running.wait_for("load git source")
        silent.settimeout(30)
        connection, _ = silent.accept()
        running.signal(signal.SIGINT)
        assert running.end(30).status != 0
        connection.close()
        case.assert_nothing_left(url)
