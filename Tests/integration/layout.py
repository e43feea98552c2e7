"""Writes small OCI layouts: busybox as a base image, and images with whatever a test needs in their layers."""
import dataclasses
import gzip
import hashlib
import io
import json
import pathlib
import shutil
import struct
import subprocess
import tarfile

EPOCH = 1_700_000_000
OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."


def file(name, content=b"", mode=0o644, **fields):
    return entry(name, tarfile.REGTYPE, content, mode=mode, **fields)


def entry(name, kind, content=b"", mode=0o755, **fields):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime, info.size = kind, mode, EPOCH, len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def directory(name, mode=0o755, **fields):
    return entry(name, tarfile.DIRTYPE, mode=mode, **fields)


def link(name, target):
    return entry(name, tarfile.SYMTYPE, mode=0o777, linkname=target)


def hard_link(name, target):
    return entry(name, tarfile.LNKTYPE, mode=0o644, linkname=target)


def tar(entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


@dataclasses.dataclass
class Packing:
    """How a layer is compressed, and how that is called."""
    media_type: str
    pack: object


GZIP = Packing(OCI + "layer.v1.tar+gzip", lambda data: gzip.compress(data, mtime=0))
ZSTD = Packing(OCI + "layer.v1.tar+zstd", zstd)
PLAIN = Packing(OCI + "layer.v1.tar", lambda data: data)
DOCKER_GZIP = Packing(DOCKER + "image.rootfs.diff.tar.gzip", GZIP.pack)


class BaseImage:
    """An OCI layout with one image named `latest`."""

    def __init__(self, path):
        self.directory = pathlib.Path(path)
        self.blobs = self.directory / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        self.manifests = []

    def add_blob(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def add_image(self, layers, config=None, packing=GZIP, platform="linux/amd64", docker=False):
        """Adds an image of layers, each a list of tar entries, and returns its descriptor."""
        system, architecture, *variant = platform.split("/")
        archives = [tar(layer) for layer in layers]
        described = {
            "created": "2023-11-14T22:13:20Z", "os": system, "architecture": architecture, "config": config or {},
            "rootfs": {"type": "layers",
                       "diff_ids": ["sha256:" + hashlib.sha256(archive).hexdigest() for archive in archives]},
            "history": [{"created": "2023-11-14T22:13:20Z", "created_by": "test layer"} for _ in layers],
        }
        if variant:
            described["variant"] = variant[0]
        config_type = DOCKER + "container.image.v1+json" if docker else OCI + "config.v1+json"
        manifest_type = DOCKER + "distribution.manifest.v2+json" if docker else OCI + "manifest.v1+json"
        manifest = {
            "schemaVersion": 2, "mediaType": manifest_type,
            "config": self.add_blob(json.dumps(described).encode(), config_type),
            "layers": [self.add_blob(packing.pack(archive), packing.media_type) for archive in archives],
        }
        platform_fields = {key: described[key] for key in ("os", "architecture", "variant") if key in described}
        return {**self.add_blob(json.dumps(manifest).encode(), manifest_type), "platform": platform_fields}

    def finish(self, descriptors, tag="latest"):
        """Names one image, or an index of several, and writes the layout's own files."""
        described = descriptors[0]
        if len(descriptors) > 1:
            index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": descriptors}
            described = self.add_blob(json.dumps(index).encode(), index["mediaType"])
        self.manifests.append({**described, "annotations": {"org.opencontainers.image.ref.name": tag}})
        index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": self.manifests}
        (self.directory / "index.json").write_text(json.dumps(index))
        (self.directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        return self

    @classmethod
    def of(cls, path, layers, **options):
        image = cls(path)
        return image.finish([image.add_image(layers, **options)])

    @classmethod
    def busybox(cls, path):
        """busybox for amd64, and the same files under the name of arm64 for what is only copied."""
        image = cls(path)
        config = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["sh"]}
        layers = [busybox_layer()]
        return image.finish([
            image.add_image(layers, config=config),
            image.add_image(layers, config=config, platform="linux/arm64/v8"),
        ])


def busybox_layer():
    program = shutil.which("busybox")
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    entries = [directory(name) for name in (
        "bin", "dev", "etc", "home", "proc", "root", "run", "sys", "usr", "usr/bin", "usr/sbin", "var")]
    entries += [directory("tmp", 0o1777), file("bin/busybox", pathlib.Path(program).read_bytes(), 0o755)]
    entries += [link("bin/" + applet, "/bin/busybox") for applet in applets if applet != "busybox"]
    entries += [
        file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nbuilder:x:1000:1001::/home/builder:/bin/sh\n"),
        file("etc/group", b"root:x:0:\nbuilders:x:1001:\nwheel:x:10:builder\n"),
    ]
    return entries


def arm64_program(path=b"/made", text=b"arm64\n"):
    """A program for arm64, without libraries, that writes a text to standard output and to a file."""
    base, names, words = 0x400000, path + b"\0", 17
    data = base + 120 + 4 * words

    def move(register, value):
        return 0xD2800000 | value << 5 | register

    def address(register, target, position):
        offset = target - (base + 120 + 4 * position)
        return 0x10000000 | (offset & 3) << 29 | (offset >> 2 & 0x7FFFF) << 5 | register

    call = 0xD4000001
    code = [0x92800C60, address(1, data, 1), move(2, 0x41), move(3, 0o644), move(8, 56), call,  # openat: create, write
            address(1, data + len(names), 6), move(2, len(text)), move(8, 64), call,  # write to it
            move(0, 1), move(2, len(text)), move(8, 64), call, move(0, 0), move(8, 93), call]  # write to 1, exit
    assert len(code) == words
    body = b"".join(struct.pack("<I", word) for word in code) + names + text
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01" + bytes(9), 2, 183, 1, base + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, 120 + len(body), 120 + len(body), 0x1000) + body
