"""COPY, ADD, .dockerignore and WORKDIR: which files arrive, with which owners, modes and times."""
import io
import os
import subprocess
import tarfile

import layout
from harness import test


def archive(compression=""):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:" + compression) as opened:
        info = tarfile.TarInfo("in/a.txt")
        info.size, info.mode, info.uid, info.gid = 2, 0o640, 7, 8
        opened.addfile(info, io.BytesIO(b"a\n"))
    return buffer.getvalue()


@test("COPY takes files, directories and patterns")
def patterns(case):
    image = case.image("FROM scratch\nCOPY a.txt b*.md d /all/\nCOPY d /copy\nCOPY [\"with space\", \"/with space\"]\n", {
        "a.txt": "a", "b1.md": "1", "b2.md": "2", "c.md": "c", "d/e/f": "f", "with space": "s"})
    files = {name for name, (member, _) in image.tree().items() if member.isreg()}
    assert files == {"all/a.txt", "all/b1.md", "all/b2.md", "all/e/f", "copy/e/f", "with space"}, files


@test("a directory of a stage keeps the times of its files, a single file has one that does not depend on the clock")
def times_of_stages(case):
    dockerfile = ("FROM busybox AS s\nRUN mkdir -p /d/sub && echo x > /d/sub/f && echo y > /g && "
                  "stat -c %Y /d/sub/f > /d/time\nFROM scratch\n")
    copied = case.image(dockerfile + "COPY --from=s /d /d\n")
    # Python's bytecode, for one, names the time of its source and is stale with another.
    assert copied.member("/d/sub/f").mtime == int(copied.read("/d/time")) > 1_750_000_000
    single = [case.image(dockerfile + "COPY --from=s /g /\n", store=case.directory / f"store-{n}").layers[-1]["digest"]
              for n in (1, 2)]
    assert single[0] == single[1], single


@test("COPY keeps modes and links, and gives files to root")
def modes(case):
    context = case.context({"run.sh": "#!/bin/sh\n", "secret": "s", "d/f": "f"})
    (context / "run.sh").chmod(0o755)
    (context / "secret").chmod(0o600)
    (context / "d").chmod(0o700)
    os.chown(context / "secret", 123, 456)
    os.symlink("f", context / "d/link")
    image = case.image("FROM scratch\nCOPY . /\n", context=context)
    assert image.member("/run.sh").mode == 0o755
    assert (image.member("/secret").mode, image.member("/secret").uid) == (0o600, 0)
    assert image.member("/d").mode == 0o700
    assert image.member("/d/link").linkname == "f"


@test("a destination that is made for a directory's contents has mode 0755 and is root's, whatever was copied")
def new_destination(case):
    image = case.image("""
FROM busybox AS s
RUN mkdir -p /d/e && chmod 700 /d /d/e && chown -R 5:6 /d
FROM busybox
COPY --from=s /d /new
COPY --from=s --chown=7:8 /d /owned
COPY --from=s --parents /d /all/
""")
    for name, mode, owner in (("/new", 0o755, 0), ("/new/e", 0o700, 5), ("/owned", 0o755, 7), ("/all/d", 0o700, 5)):
        found = image.member(name)
        assert (found.mode, found.uid) == (mode, owner), (name, oct(found.mode), found.uid)


@test("several files for one name leave the last one there, and a warning")
def several_to_one(case):
    image = case.image("FROM scratch\nCOPY [abc] /all\n", {"a": "1", "b": "2", "c": "3"})
    assert image.read("/all") == "3"
    case.answer.says("Dockerfile", ":2)", "3 files are copied to '/all'", "only the last one stays, 'c'", "'/all/'")


@test("a name that the image does not have makes files root's, with a warning; without a base image it is an error")
def unknown_owner(case):
    image = case.image("FROM busybox\nCOPY --chown=nobdy f /f\nCOPY --chown=5:wheeel f /g\nUSER ghost\nWORKDIR /w\n",
                       {"f": ""})
    for name, owner in (("/f", (0, 0)), ("/g", (5, 5)), ("/w", (0, 0))):
        found = image.member(name)
        assert (found.uid, found.gid) == owner, (name, found.uid, found.gid)
    case.answer.says("no user 'nobdy'", ":2)", "no group 'wheeel'", ":3)", "no user 'ghost'", ":5)")
    case.fails("FROM scratch\nCOPY --chown=nobdy f /f\n", {"f": ""}).says("error[unknown-user]")


def hostile_archive(*entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as opened:
        for name, kind, value in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mtime = kind, 1_000_000_000
            if kind == tarfile.REGTYPE:
                info.size = len(value)
            else:
                info.linkname, info.mode = value, 0o750
            opened.addfile(info, io.BytesIO(value) if kind == tarfile.REGTYPE else None)
    return buffer.getvalue()


@test("ADD unpacks over what is there: links on the way stay inside, files and directories replace each other")
def archive_over_files(case):
    entries = [("lib/new", tarfile.REGTYPE, b"n"), ("dir", tarfile.REGTYPE, b"f"), ("file", tarfile.DIRTYPE, ""),
               ("up", tarfile.SYMTYPE, "../../.."), ("up/over", tarfile.REGTYPE, b"o"),
               ("kept/", tarfile.DIRTYPE, ""), (".", tarfile.DIRTYPE, "")]
    image = case.image("""
FROM busybox AS b
RUN mkdir -p /t/real /t/dir/deep /t/kept && ln -s real /t/lib && touch /t/file /t/kept/k && chmod 711 /t
FROM busybox
COPY --from=b / /
ADD --chmod=700 a.tar /t
""", {"a.tar": hostile_archive(*entries)})
    assert image.read("/t/real/new") == "n" and image.member("/t/lib").linkname == "real"
    assert image.read("/t/dir") == "f" and image.member("/t/file").isdir() and image.read("/t/over") == "o"
    assert image.member("/t/kept").mode == 0o750 and image.member("/t/kept/k") and image.member("/t").mode == 0o711
    assert image.member("/t/dir").mode == 0o644, "modes are the archive's"


@test("a path that leads out of the context means one in it, with a warning")
def climbing(case):
    image = case.image("FROM scratch\nCOPY ../../f /f\nADD d/../../g /\n", {"f": "f", "g": "g", "d/x": ""})
    assert (image.read("/f"), image.read("/g")) == ("f", "g")
    case.answer.says("'../../f' leads out of the build context, and 'f' of the context is taken instead", ":2)")
    case.fails("FROM scratch\nCOPY ../shared /s\n", {}).says("'../shared' leads out", "--build-context NAME=DIRECTORY",
                                                             "error[copy-source-not-found]")


@test("equal archives unpack to equal layers, whenever that is")
def archive_layers(case):
    files = {"a.tar": hostile_archive(("x/y/f", tarfile.REGTYPE, b"1"), ("z", tarfile.DIRTYPE, ""))}
    context = case.context(files)
    digests = [case.image("FROM busybox\nADD a.tar /new/\nADD a.tar /etc/\n", context=context,
                          store=case.directory / f"s{n}").layers[-1]["digest"] for n in (1, 2)]
    assert digests[0] == digests[1], digests


@test("--chown takes names and numbers, from the image's own files")
def chown(case):
    image = case.image("""
FROM busybox
COPY --chown=builder:builders f /by-name
COPY --chown=builder f /primary
COPY --chown=55:66 f /by-number
COPY --chown=55 d /tree
""", {"f": "f", "d/x": "x"})
    owners = {path: (image.member(path).uid, image.member(path).gid)
              for path in ("by-name", "primary", "by-number", "tree/x")}
    assert owners["by-name"] == (1000, 1001), owners
    assert owners["primary"] == (1000, 1001), owners
    assert owners["by-number"] == (55, 66), owners
    assert owners["tree/x"] == (55, 55), owners


@test("--chmod takes octal and symbolic modes")
def chmod(case):
    image = case.image("FROM scratch\nCOPY --chmod=0640 f /octal\nCOPY --chmod=u=rwX,go=rX d /symbolic\n", {"f": "f", "d/x": "x"})
    assert image.member("/octal").mode == 0o640
    assert image.member("/symbolic").mode == 0o755
    assert image.member("/symbolic/x").mode == 0o644


@test("--link puts files into a layer that does not depend on the one below")
def link(case):
    dockerfile = "FROM busybox\nRUN echo {} > /below\nCOPY --link f /linked/f\n"
    one = case.image(dockerfile.format(1), {"f": "f"})
    two = case.image(dockerfile.format(2), {"f": "f"})
    assert one.layers[-1]["digest"] == two.layers[-1]["digest"]
    assert one.layers[-2]["digest"] != two.layers[-2]["digest"]
    assert two.read("/linked/f") == "f"


@test("--parents keeps directories, from the pivot on")
def parents(case):
    image = case.image("FROM scratch\nCOPY --parents a/b/c.txt x/./y/z.txt /to/\n", {"a/b/c.txt": "c", "x/y/z.txt": "z"})
    assert image.read("/to/a/b/c.txt") == "c"
    assert image.read("/to/y/z.txt") == "z"


@test("--parents with ** takes every depth")
def double_star(case):
    image = case.image("FROM scratch\nCOPY --parents **/*.json /\n",
                       {"package.json": "0", "a/package.json": "1", "a/b/package.json": "2", "a/other.txt": "x"})
    files = {name for name, (member, _) in image.tree().items() if member.isreg()}
    assert files == {"package.json", "a/package.json", "a/b/package.json"}, files


@test("--exclude leaves files out")
def exclude(case):
    image = case.image("FROM scratch\nCOPY --exclude=*.md --exclude=d/skip . /\n",
                       {"a.txt": "a", "b.md": "b", "d/skip": "s", "d/keep": "k"})
    files = {name for name, (member, _) in image.tree().items() if member.isreg()}
    assert files == {"a.txt", "d/keep"}, files


@test("heredocs become files and scripts")
def heredocs(case):
    image = case.image("""
FROM busybox
ARG NAME=world
COPY <<EOF <<-"RAW" /docs/
hello $NAME
EOF
	raw $NAME
RAW
RUN <<EOF
echo one > /out
echo two >> /out
EOF
RUN <<EOF cat > /stdin
from a heredoc
EOF
""")
    assert image.read("/docs/EOF") == "hello world\n"
    assert image.read("/docs/RAW") == "raw $NAME\n"
    assert image.read("/out") == "one\ntwo\n"
    assert image.read("/stdin") == "from a heredoc\n"


@test("ADD unpacks local archives, whatever they are packed with")
def add_archive(case):
    zstd = subprocess.run(["zstd", "-qc"], input=archive(), stdout=subprocess.PIPE, check=True).stdout
    image = case.image("""
FROM scratch
ADD plain.tar /plain/
ADD a.tar.gz /gz/
ADD a.tar.bz2 /bz2/
ADD a.tar.xz /xz/
ADD a.tar.zst /zst/
ADD text.txt /text/
COPY a.tar.gz /copied/
""", {"plain.tar": archive(), "a.tar.gz": archive("gz"), "a.tar.bz2": archive("bz2"), "a.tar.xz": archive("xz"),
      "a.tar.zst": zstd, "text.txt": "t"})
    for directory in ("plain", "gz", "bz2", "xz", "zst"):
        assert image.read(f"/{directory}/in/a.txt") == "a\n"
    member = image.member("/plain/in/a.txt")
    assert (member.mode, member.uid, member.gid) == (0o640, 7, 8)
    assert image.read("/text/text.txt") == "t"
    assert image.has("/copied/a.tar.gz")


@test(".dockerignore hides files, with negation and order")
def ignore(case):
    image = case.image("FROM scratch\nCOPY . /\n", {
        ".dockerignore": "# comment\n*.log\n!keep.log\nnode_modules\n**/tmp\n",
        "a.log": "x", "keep.log": "k", "src/a.log": "nested", "node_modules/m/i.js": "i", "src/tmp/t": "t", "src/m.js": "m"})
    files = {name for name, (member, _) in image.tree().items() if member.isreg()}
    assert files == {".dockerignore", "keep.log", "src/a.log", "src/m.js"}, files


@test("NAME.dockerignore beside the Dockerfile is preferred")
def named_ignore(case):
    context = case.context({".dockerignore": "b\n", "app.Dockerfile": "FROM scratch\nCOPY . /\n",
                            "app.Dockerfile.dockerignore": "a\n*ocker*\n", "a": "a", "b": "b"})
    image = case.image(None, None, "-f", context / "app.Dockerfile", context=context)
    files = {name for name, (member, _) in image.tree().items() if member.isreg()}
    assert files == {"b"}, files


@test("COPY makes the directories it needs and overwrites what is there")
def overwrite(case):
    image = case.image("FROM busybox\nCOPY new /etc/passwd\nCOPY f /a/b/c/\n", {"new": "replaced", "f": "f"})
    assert image.read("/etc/passwd") == "replaced"
    assert image.read("/a/b/c/f") == "f"


@test("COPY follows a link inside the image, never out of it")
def links_in_image(case):
    image = case.image(
        "FROM busybox\nRUN mkdir /real && ln -s /real /alias && ln -s /../../../../real /climb\n"
        "COPY f /alias/\nCOPY f /climb/g\n", {"f": "f"})
    assert image.read("/real/f") == "f"
    assert image.read("/real/g") == "f"


@test("WORKDIR makes its directory, and is where relative paths start")
def workdir(case):
    image = case.image("FROM busybox\nWORKDIR /a/b\nCOPY f c/\nRUN pwd > where\n", {"f": "f"})
    assert image.read("/a/b/c/f") == "f"
    assert image.read("/a/b/where") == "/a/b\n"


@test("sparse and empty files, long names and odd names arrive")
def odd_files(case):
    long_name = "n" * 200
    context = case.context({"empty": "", long_name: "long", "ünï-😀": "u", "new\nline": "n", " lead": "l"})
    with open(context / "sparse", "wb") as sparse:
        sparse.truncate(64 << 20)
        sparse.seek(32 << 20)
        sparse.write(b"middle")
    image = case.image("FROM scratch\nCOPY . /d/\n", context=context)
    tree = image.tree()
    assert {"d/empty", "d/" + long_name, "d/ünï-😀", "d/new\nline", "d/ lead", "d/sparse"} <= set(tree)
    content = tree["d/sparse"][1]
    assert len(content) == 64 << 20 and content[32 << 20:(32 << 20) + 6] == b"middle"


@test("file capabilities of a base image and of the context are in the layers")
def xattrs(case):
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    context = case.context({"f": "f"})
    os.setxattr(context / "f", "security.capability", capability)
    case.build("FROM scratch\nCOPY f /f\n", {}, "-o", "type=oci,tar=false,dest=out,name=x:latest", context=context)
    case.run(["umoci", "unpack", "--image", f"{case.directory}/out:latest", case.directory / "bundle"])
    assert os.getxattr(case.directory / "bundle/rootfs/f", "security.capability") == capability


@test("ADD of an archive gives a directory the time of its entry, whatever is put into it later")
def archive_times(case):
    archive = layout.tar([
        layout.directory("tree"), layout.directory("tree/dir"), layout.file("tree/dir/first", b"x"),
        layout.file("tree/second", b"x")])
    built = case.image("FROM scratch\nADD tree.tar /\n", {"tree.tar": archive})
    for name in ("/tree", "/tree/dir", "/tree/second"):
        assert built.member(name).mtime == layout.EPOCH, name
