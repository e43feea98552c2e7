"""Outputs: every type, read by other tools; names, digests and compression."""
import io
import json
import re
import subprocess
import tarfile

import image as images
from harness import read_json, test

DOCKERFILE = 'FROM busybox\nCOPY f /f\nRUN ln -s f /l && mkdir -m 1777 /d && mkfifo /p\nCMD ["cat", "/f"]\n'
FILES = {"f": "content\n"}


@test("an OCI archive and an OCI layout are read by skopeo and unpacked by umoci")
def oci(case):
    case.build(DOCKERFILE, FILES, "-o", "type=oci,dest=image.tar,name=example.org/app:1",
               "-o", "type=oci,dest=layout,tar=false,name=example.org/app:1")
    inspected = json.loads(case.run(["skopeo", "inspect", f"oci-archive:{case.directory}/image.tar"]).out)
    assert inspected["Os"] == "linux" and len(inspected["Layers"]) == 3, inspected
    names = json.loads((case.directory / "layout/index.json").read_text())["manifests"][0]["annotations"]
    tag = names["org.opencontainers.image.ref.name"]
    case.run(["umoci", "unpack", "--image", f"{case.directory}/layout:{tag}", case.directory / "bundle"])
    root = case.directory / "bundle/rootfs"
    assert (root / "f").read_text() == "content\n" and (root / "l").is_symlink() and (root / "p").is_fifo()
    assert (root / "d").stat().st_mode & 0o7777 == 0o1777
    with tarfile.open(case.directory / "image.tar") as archive:
        assert {"index.json", "oci-layout"} <= {name.strip("./") for name in archive.getnames()}


@test("a Docker archive has the tags and is read by skopeo")
def docker(case):
    case.build(DOCKERFILE, FILES, "-o", "type=docker,dest=image.tar,name=app:1")
    inspected = json.loads(case.run(["skopeo", "inspect", f"docker-archive:{case.directory}/image.tar"]).out)
    assert len(inspected["Layers"]) == 3
    with tarfile.open(case.directory / "image.tar") as archive:
        manifest = json.load(archive.extractfile("manifest.json"))
    assert manifest[0]["RepoTags"] in (["docker.io/library/app:1"], ["app:1"]), manifest


@test("a tar and a directory have the files of the image")
def files(case):
    case.build(DOCKERFILE, FILES, "-o", "type=tar,dest=root.tar", "-o", "type=local,dest=out")
    assert (case.directory / "out/f").read_text() == "content\n"
    assert (case.directory / "out/l").is_symlink()
    names = case.run(["tar", "-tf", case.directory / "root.tar"]).out.split()
    assert {"f", "l"} <= {name.strip("./") for name in names}
    listed = case.run(["bsdtar", "-tf", case.directory / "root.tar"]).out.split()
    assert {name.strip("./") for name in listed} == {name.strip("./") for name in names}


@test("'-o DIRECTORY' and '-o -' are short forms")
def short_forms(case):
    case.build("FROM scratch\nCOPY f /f\n", FILES, "-o", case.directory / "out")
    assert (case.directory / "out/f").read_text() == "content\n"
    context = case.context(FILES)
    command = case.build_command(context, "-o", "-", dockerfile="FROM scratch\nCOPY f /f\n")
    result = subprocess.run(command, capture_output=True)
    assert result.returncode == 0, result.stderr[-2000:]
    with tarfile.open(fileobj=io.BytesIO(result.stdout)) as archive:
        assert "f" in [name.strip("./") for name in archive.getnames()]


@test("compression and its level are chosen, and all of them unpack to the same layer")
def compression(case):
    variants = ["compression=gzip", "compression=gzip,compression-level=1", "compression=gzip,compression-level=6",
                "compression=gzip,compression-level=9", "compression=zstd", "compression=zstd,compression-level=10",
                "compression=uncompressed"]
    context = case.context({f"f{n}": f"line {n}\n" * 5000 for n in range(40)})
    diff_ids, sizes = set(), {}
    for number, variant in enumerate(variants):
        case.build("FROM scratch\nCOPY . /\n", {}, "-o", f"type=oci,tar=false,dest=out{number},{variant}", context=context)
        image = images.Image(case.directory / f"out{number}")
        image.archive(0)
        diff_ids.add(image.config["rootfs"]["diff_ids"][0])
        sizes[variant] = image.layers[0]["size"]
        kind = variant.split(",")[0].split("=")[1]
        expected = {"gzip": "tar+gzip", "zstd": "tar+zstd", "uncompressed": ".tar"}[kind]
        assert image.layers[0]["mediaType"].endswith(expected), image.layers[0]
    assert len(diff_ids) == 1, diff_ids
    assert max(sizes, key=sizes.get) == "compression=uncompressed", sizes


@test("gzip layers of several members are read by gzip and by tar")
def members(case):
    context = case.context({"numbers": b"".join(n.to_bytes(4, "big") for n in range(1 << 20))})
    image = case.image("FROM scratch\nCOPY . /\n", context=context)
    path = image.path(image.layers[0])
    with open(path, "rb") as packed:
        plain = subprocess.run(["gzip", "-dc"], stdin=packed, stdout=subprocess.PIPE, check=True).stdout
    assert plain == image.archive(0)
    case.run(["tar", "-tzf", path])


@test("-t puts names into the store, and images and history show them")
def tags(case):
    case.build(DOCKERFILE, FILES, "-t", "app:1", "-t", "registry.example/team/app:latest")
    shown = case.run(case.command("images", "--root", case.store))
    lines = shown.out.splitlines()
    assert lines[0].split()[:3] == ["REPOSITORY", "TAG", "IMAGE"], lines
    shown.says("app", "registry.example/team/app", "latest")
    assert len({line.split()[2] for line in lines[1:]}) == 1, lines
    case.run(case.command("history", "--root", case.store, "app:1")).says(
        "IMAGE", "CREATED BY", "SIZE", 'CMD ["cat" "/f"]')


@test("a name that is built again moves")
def moved_name(case):
    case.build("FROM scratch\nCOPY f /f\n", {"f": "1"}, "-t", "app")
    first = case.run(case.command("images", "--root", case.store)).out
    case.build("FROM scratch\nCOPY f /f\n", {"f": "2"}, "-t", "app")
    second = case.run(case.command("images", "--root", case.store)).out
    tagged = [line for line in second.splitlines() if line.split()[:2] == ["app", "latest"]]
    assert len(tagged) == 1, second
    assert tagged[0].split()[2] not in first, second


@test("history of an image that is not there names the near one")
def unknown_image(case):
    case.build("FROM scratch\nCOPY f /f\n", FILES, "-t", "myapp")
    answer = case.run(case.command("history", "--root", case.store, "mypap"), status=None)
    assert answer.status != 0
    answer.says("mypap", "myapp")


@test("--iidfile takes the image among several outputs, and unwritable result files are found before the build")
def result_files(case):
    case.build("FROM busybox\n", {}, "-o", "type=oci,dest=i.tar", "-o", "type=local,dest=tree", "--iidfile", "iid")
    assert (case.directory / "iid").read_text().startswith("sha256:")
    for option in ("--iidfile", "--metadata-file"):
        answer = case.fails("FROM busybox\nRUN echo ran\n", {}, option, "no/such/file")
        answer.says("error[output-destination]: cannot write output 'no/such/file': there is no directory 'no/such'")
        answer.says_not("RUN echo ran")


@test("--iidfile and --metadata-file have the digests of the image")
def written_digests(case):
    case.build(DOCKERFILE, FILES, "-o", "type=oci,tar=false,dest=out,name=app:2", "--iidfile", "iid",
               "--metadata-file", "metadata")
    image = images.Image(case.directory / "out")
    metadata = read_json(case.directory / "metadata")
    assert metadata["containerimage.digest"] == image.descriptor["digest"], metadata
    assert metadata["containerimage.config.digest"] == image.manifest["config"]["digest"], metadata
    assert metadata["containerimage.descriptor"]["size"] == image.descriptor["size"], metadata
    assert "app:2" in metadata["image.name"], metadata
    written = (case.directory / "iid").read_text().strip()
    assert written in (image.descriptor["digest"], image.manifest["config"]["digest"])


@test("--progress=quiet prints the digest of the image and nothing else")
def quiet(case):
    answer = case.build(DOCKERFILE, FILES, "--progress=quiet", "-t", "app")
    assert answer.out.strip().startswith("sha256:") and len(answer.out.split()) == 1, answer.out
    assert answer.err == "", answer.err


@test("type=cacheonly builds and writes nothing")
def cache_only(case):
    before = set(case.directory.iterdir())
    case.build("FROM busybox\nRUN echo built\n", {}, "-o", "type=cacheonly").says("built")
    after = {path.name for path in set(case.directory.iterdir()) - before}
    assert all(name.startswith(("Dockerfile", "context", "store")) for name in after), after


@test("plain progress has BuildKit's lines")
def plain_progress(case):
    answer = case.build("FROM busybox AS builder\nRUN echo hello\nFROM scratch\nCOPY --from=builder /etc/passwd /\n")
    for pattern in (r"(?m)^#\d+ \[builder \d/\d\] RUN echo hello$", r"(?m)^#\d+ \d+\.\d{3} hello$",
                    r"(?m)^#\d+ DONE \d+\.\ds$"):
        assert re.search(pattern, answer.text), f"{pattern}\n{answer.text}"


@test("an unwritable destination is an error that names it")
def unwritable(case):
    (case.directory / "blocked").write_text("a file")
    case.fails("FROM busybox\nRUN echo started\n", {}, "-o", "type=oci,dest=blocked/image.tar").says("blocked")


@test("an unknown exporter, key or compression is an error with the near name")
def unknown_keys(case):
    for option, wrong, near in (("type=ocl,dest=x", "ocl", "oci"), ("type=oci,dst=x", "dst", "dest"),
                                ("type=oci,dest=x,compression=gzp", "gzp", "gzip")):
        case.fails("FROM scratch\nCOPY f /f\n", FILES, "-o", option).says(f"'{wrong}'", near)
