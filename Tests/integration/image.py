"""Reads an OCI layout that whittle wrote, without whittle."""
import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import tarfile


class Image:
    """The one image of a layout: its documents, layers, and the file system that they make."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.index = json.loads((self.directory / "index.json").read_text())
        self.descriptor = self.index["manifests"][0]
        document = self.document(self.descriptor)
        while "manifests" in document:
            self.descriptor = document["manifests"][0]
            document = self.document(self.descriptor)
        self.manifest = document
        self.config = self.document(self.manifest["config"])
        # Go writes null for an empty list.
        self.layers = self.manifest["layers"] or []

    def path(self, descriptor):
        algorithm, value = descriptor["digest"].split(":")
        return self.directory / "blobs" / algorithm / value

    def blob(self, descriptor):
        data = self.path(descriptor).read_bytes()
        assert len(data) == descriptor["size"], f"size of {descriptor['digest']}"
        assert "sha256:" + hashlib.sha256(data).hexdigest() == descriptor["digest"], descriptor["digest"]
        return data

    def document(self, descriptor):
        return json.loads(self.blob(descriptor))

    def archive(self, number):
        """The uncompressed tar of a layer, checked against its diffID."""
        data = self.blob(self.layers[number])
        media_type = self.layers[number]["mediaType"]
        if media_type.endswith("gzip"):
            data = gzip.decompress(data)
        elif media_type.endswith("zstd"):
            data = subprocess.run(["zstd", "-dqc"], input=data, stdout=subprocess.PIPE, check=True).stdout
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        assert digest == self.config["rootfs"]["diff_ids"][number], f"diffID of layer {number}"
        return data

    def entries(self, number):
        """The entries of a layer by name, as tarfile's values."""
        with tarfile.open(fileobj=io.BytesIO(self.archive(number))) as archive:
            return {member.name.strip("/"): member for member in archive}

    def last_entries(self):
        return self.entries(len(self.layers) - 1)

    def tree(self):
        """Every path of the image with its entry and bytes, whiteouts applied."""
        tree = {}
        for number in range(len(self.layers)):
            with tarfile.open(fileobj=io.BytesIO(self.archive(number))) as archive:
                members = list(archive)
                for member in members:
                    self.apply_whiteout(tree, member.name.strip("/"))
                for member in members:
                    name = member.name.strip("/")
                    if "/.wh." in "/" + name or not name:
                        continue
                    opened = archive.extractfile(member) if member.isreg() or member.islnk() else None
                    content = opened.read() if opened else None
                    if not member.isdir():
                        for below in [path for path in tree if path.startswith(name + "/")]:
                            del tree[below]
                    tree[name] = (member, content)
        return tree

    @staticmethod
    def apply_whiteout(tree, name):
        parent, _, last = name.rpartition("/")
        if last == ".wh..wh..opq":
            hidden = [path for path in tree if path.startswith(parent + "/")]
        elif last.startswith(".wh."):
            gone = f"{parent}/{last[4:]}".strip("/")
            hidden = [path for path in tree if path == gone or path.startswith(gone + "/")]
        else:
            return
        for path in hidden:
            del tree[path]

    def read(self, path):
        """The text of a file of the image."""
        tree = self.tree()
        assert path.strip("/") in tree, f"no {path} in {sorted(tree)[-40:]}"
        return tree[path.strip("/")][1].decode()

    def member(self, path):
        return self.tree()[path.strip("/")][0]

    def has(self, path):
        return path.strip("/") in self.tree()

    def contains_bytes(self, needle):
        """Whether any blob has these bytes, packed or unpacked."""
        for path in (self.directory / "blobs" / "sha256").iterdir():
            data = path.read_bytes()
            if needle in data or (data[:2] == b"\x1f\x8b" and needle in gzip.decompress(data)):
                return True
        return False
