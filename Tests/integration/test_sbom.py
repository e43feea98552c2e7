"""`whittle sbom`: the software in an image, wherever the image is."""
import io
import json
import zipfile

import layout
from harness import test

STATUS = ("Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9\n\n"
          "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n")
RELEASE = "ID=debian\nVERSION_ID=\"12\"\n"


def jar():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/maven/org.a/b/pom.properties", "groupId=org.a\nartifactId=b\nversion=3\n" * 20)
    return buffer.getvalue()


FILES = {
    "os-release": RELEASE, "status": STATUS, "METADATA": "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0\n\ntext\n",
    "package.json": '{"name":"@s/x","version":"2.0.0","license":"MIT"}', "app.jar": jar(),
}
DOCKERFILE = """FROM scratch
COPY os-release /etc/os-release
COPY status /var/lib/dpkg/status
COPY METADATA /usr/lib/python3/dist-packages/foo_bar-1.0.dist-info/
COPY package.json /app/node_modules/@s/x/
COPY app.jar /opt/
"""
EXPECTED = ["pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc", "pkg:maven/org.a/b@3",
            "pkg:npm/%40s/x@2.0.0", "pkg:pypi/foo-bar@1.0"]


def sbom(case, *arguments, status=0, env=None):
    return case.run(case.command("sbom", "--root", case.store, *arguments), status=status, env=env)


def urls(document):
    return [package["externalRefs"][0]["referenceLocator"] for package in document["packages"]
            if package["SPDXID"].startswith("SPDXRef-Package-")]


@test("lists the packages of images in the store, in layouts, in archives, and of directories")
def sources(case):
    case.build(DOCKERFILE, FILES, "-o", "type=image,name=app", "-o", f"type=oci,dest={case.directory}/app.tar",
               "-o", f"type=local,dest={case.directory}/tree")
    for source in ["app", f"oci-archive:{case.directory}/app.tar", f"dir:{case.directory}/tree"]:
        document = json.loads(sbom(case, source, "--format", "spdx-json").out)
        assert urls(document) == EXPECTED, (source, urls(document))
    table = sbom(case, "app").out.splitlines()
    assert len(table) == 5 and table[1].split()[:3] == ["libc6", "2.36-9", "deb"], table


@test("writes equal documents for equal images, with the time that is asked for")
def deterministic(case):
    for store in ["a", "b"]:
        case.build(DOCKERFILE, FILES, "-t", "app", "--reproducible", env={"SOURCE_DATE_EPOCH": "1000000000"},
                   store=case.directory / store)
    for kind in ["spdx-json", "cyclonedx-json"]:
        texts = [case.run(case.command("sbom", "--root", case.directory / store, "app", "--format", kind)).out
                 for store in ["a", "b"]]
        assert texts[0] == texts[1] and "2001-09-09T01:46:40Z" in texts[0], texts[0][:600]
    target = case.directory / "out.json"
    case.run(case.command("sbom", "--root", case.directory / "a", "app", "--format", "cyclonedx-json", "-o", target),
             env={"SOURCE_DATE_EPOCH": "0"})
    document = json.loads(target.read_text())
    assert document["metadata"]["timestamp"] == "1970-01-01T00:00:00Z"
    assert [component["purl"] for component in document["components"][1:]] == EXPECTED
    assert document["metadata"]["component"]["purl"].startswith("pkg:docker/app@latest?digest=sha256:")


@test("knows what later layers remove, and what hard links name")
def layers(case):
    image = layout.BaseImage.of(case.directory / "image", [
        [layout.file("var/lib/dpkg/status", STATUS.encode()), layout.file("a/node_modules/b/package.json", b'{"name":"b","version":"1"}'),
         layout.file("x.jar", jar()), layout.hard_link("y.jar", "x.jar")],
        [layout.file("var/lib/dpkg/.wh.status"), layout.file("a/.wh.node_modules"), layout.file(".wh.x.jar")],
    ])
    document = json.loads(sbom(case, f"oci:{image.directory}", "--format", "spdx-json").out)
    assert urls(document) == ["pkg:maven/org.a/b@3"], urls(document)
    assert document["packages"][1]["sourceInfo"] == "found in /y.jar"


@test("warns of databases that are broken, and lists the rest")
def broken(case):
    files = {**FILES, "status": b"\0\1\2garbage", "app.jar": jar()[:-30], "rpm": b"SQLite format 3\0" + b"\xff" * 5000,
             "apk": "V:1\n\n", "lock": "{", "bdb": b"\0" * 600}
    case.build(DOCKERFILE + "COPY rpm /var/lib/rpm/rpmdb.sqlite\nCOPY apk /lib/apk/db/installed\n"
               "COPY bdb /var/lib/rpm/Packages\n", files, "-t", "app")
    answer = sbom(case, "app", "--format", "spdx-json")
    assert urls(json.loads(answer.out)) == EXPECTED[2:], answer.out
    answer.says("'/var/lib/dpkg/status': it is no list of packages of dpkg", "'/opt/app.jar': it is no ZIP archive",
                "'/var/lib/rpm/rpmdb.sqlite': SQLite cannot read it", "'/lib/apk/db/installed': its entry 1 names no package",
                "'/var/lib/rpm/Packages': it is no hash of Berkeley DB")


@test("says what is wrong with its arguments")
def arguments(case):
    sbom(case, "nothing", status=1).says("error[unknown-image]")
    sbom(case, ".", "--platform", "x/y/z/a", status=1).says("it is no platform")
    sbom(case, f"dir:{case.directory}", "-o", case.directory, status=1).says("is a directory")
    sbom(case, f"dir:{case.directory}", status=1, env={"SOURCE_DATE_EPOCH": "x"}).says("SOURCE_DATE_EPOCH")
