#!/usr/bin/env python3
"""Writes root file systems as layers, and the images made of them, into an OCI image layout.

A directory LAYERS/NAME becomes a gzip layer, unless RECORDS/NAME.json says that it is in the layout already. Overlayfs
whiteouts and opaque directories become the whiteout files of the OCI image specification. An image of IMAGES enters the
index when all of its layers are there, so that images can be added one after the other.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import stat
import subprocess
import tarfile

EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "1700000000"))
CREATED = "2023-11-14T22:13:20Z"
MEDIA_TYPE = "application/vnd.oci.image."


class HashingWriter:
    """Passes bytes on and keeps their count and SHA-256."""

    def __init__(self, destination):
        self.destination, self.digest, self.size = destination, hashlib.sha256(), 0

    def write(self, data):
        self.digest.update(data)
        self.destination.write(data)
        self.size += len(data)
        return len(data)


class LayerWriter:
    """Writes one directory as a tar stream, entries in byte order."""

    def __init__(self, root, archive):
        self.root, self.archive, self.first_names = root, archive, {}

    def write(self):
        self.add_directory(self.root, "")

    def add_directory(self, directory, prefix):
        for name in sorted(os.listdir(directory)):
            path, entry = os.path.join(directory, name), prefix + name
            self.add(path, entry)
            if os.path.isdir(path) and not os.path.islink(path) and entry != "dev":
                if self.is_opaque(path):
                    self.add_marker(entry + "/.wh..wh..opq")
                self.add_directory(path, entry + "/")

    @staticmethod
    def is_opaque(path):
        try:
            return os.getxattr(path, "trusted.overlay.opaque") == b"y"
        except OSError:  # no such attribute, or a file system without any
            return False

    def add_marker(self, name):
        marker = tarfile.TarInfo(name)
        marker.mtime = EPOCH
        self.archive.addfile(marker)

    def add(self, path, name):
        status = os.lstat(path)
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFSOCK:
            return
        if kind == stat.S_IFCHR and status.st_rdev == 0:
            self.add_marker(os.path.join(os.path.dirname(name), ".wh." + os.path.basename(name)))
            return
        entry = tarfile.TarInfo(name + ("/" if kind == stat.S_IFDIR else ""))
        entry.mode = stat.S_IMODE(status.st_mode)
        entry.uid, entry.gid = status.st_uid, status.st_gid
        entry.mtime = min(int(status.st_mtime), EPOCH)
        if kind == stat.S_IFREG:
            self.add_file(path, name, entry, status)
            return
        if kind == stat.S_IFLNK:
            entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(path)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            entry.type = tarfile.CHRTYPE if kind == stat.S_IFCHR else tarfile.BLKTYPE
            entry.devmajor, entry.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
        else:
            entry.type = tarfile.DIRTYPE if kind == stat.S_IFDIR else tarfile.FIFOTYPE
        self.archive.addfile(entry)

    def add_file(self, path, name, entry, status):
        inode = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and inode in self.first_names:
            entry.type, entry.linkname = tarfile.LNKTYPE, self.first_names[inode]
            self.archive.addfile(entry)
            return
        self.first_names[inode] = name
        entry.size = status.st_size
        with open(path, "rb") as content:
            self.archive.addfile(entry, content)


class Layout:
    def __init__(self, directory):
        self.directory, self.blobs = directory, os.path.join(directory, "blobs", "sha256")
        os.makedirs(self.blobs, exist_ok=True)

    def add_json(self, value):
        data = json.dumps(value).encode()
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(self.blobs, digest), "wb") as blob:
            blob.write(data)
        return {"digest": "sha256:" + digest, "size": len(data)}

    def add_layer(self, root, name):
        """Returns the record of the layer: descriptor, diffID and unpacked size."""
        part = os.path.join(self.directory, f".{name}.part")
        with open(part, "wb") as compressed:
            gzip = subprocess.Popen(["gzip", "-1n"], stdin=subprocess.PIPE, stdout=compressed)
            unpacked = HashingWriter(gzip.stdin)
            with tarfile.open(fileobj=unpacked, mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20) as archive:
                LayerWriter(root, archive).write()
            gzip.stdin.close()
            if gzip.wait() != 0:
                raise SystemExit(f"write-layout: gzip failed for layer '{name}'")
        hasher = hashlib.sha256()
        with open(part, "rb") as compressed:
            while chunk := compressed.read(1 << 20):
                hasher.update(chunk)
        digest = hasher.hexdigest()
        size = os.path.getsize(part)
        os.rename(part, os.path.join(self.blobs, digest))
        return {
            "descriptor": {
                "mediaType": MEDIA_TYPE + "layer.v1.tar+gzip", "digest": "sha256:" + digest, "size": size,
            },
            "diffID": "sha256:" + unpacked.digest.hexdigest(),
            "unpackedSize": unpacked.size,
            "name": name,
        }

    def add_image(self, layers, config, platform):
        architecture, _, variant = platform.partition("/")
        described = {"os": "linux", "architecture": architecture, **({"variant": variant} if variant else {})}
        image = {
            "created": CREATED,
            **described,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer["diffID"] for layer in layers]},
            "history": [{"created": CREATED, "created_by": f"stand-in layer {layer['name']}"} for layer in layers],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MEDIA_TYPE + "manifest.v1+json",
            "config": {"mediaType": MEDIA_TYPE + "config.v1+json", **self.add_json(image)},
            "layers": [layer["descriptor"] for layer in layers],
        }
        return {"mediaType": manifest["mediaType"], **self.add_json(manifest), "platform": described}

    def add_index(self, manifests):
        index = {"schemaVersion": 2, "mediaType": MEDIA_TYPE + "index.v1+json", "manifests": manifests}
        return {"mediaType": index["mediaType"], **self.add_json(index)}

    def finish(self, manifests):
        index = {"schemaVersion": 2, "mediaType": MEDIA_TYPE + "index.v1+json", "manifests": manifests}
        for name, value in (("oci-layout", {"imageLayoutVersion": "1.0.0"}), ("index.json", index)):
            part = os.path.join(self.directory, f".{name}.part")
            with open(part, "w") as file:
                json.dump(value, file, indent=1)
            os.rename(part, os.path.join(self.directory, name))


def finish_layers(layout, layers_directory, records_directory):
    """Packs the layers without a record, two at a time, and returns all records by name."""

    def pack(name):
        record = layout.add_layer(os.path.join(layers_directory, name), name)
        part = os.path.join(records_directory, f".{name}.part")
        with open(part, "w") as file:
            json.dump(record, file, indent=1)
        os.rename(part, os.path.join(records_directory, name + ".json"))

    made = sorted(os.listdir(layers_directory)) if os.path.isdir(layers_directory) else []
    missing = [name for name in made if not os.path.exists(os.path.join(records_directory, name + ".json"))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(pack, missing))
    records = {}
    for file_name in os.listdir(records_directory):
        if file_name.endswith(".json") and not file_name.startswith("."):
            with open(os.path.join(records_directory, file_name)) as file:
                records[file_name[:-5]] = json.load(file)
    return records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", required=True)
    parser.add_argument("--records", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("layout")
    arguments = parser.parse_args()
    layout = Layout(arguments.layout)
    records = finish_layers(layout, arguments.layers, arguments.records)
    with open(arguments.images) as file:
        images = json.load(file)
    manifests = []
    for name, image in images.items():
        platforms = image.get("platforms") or {"amd64": image["layers"]}
        if not all(layer in records for layers in platforms.values() for layer in layers):
            continue
        built = [
            layout.add_image([records[layer] for layer in layers], image["config"], platform)
            for platform, layers in platforms.items()
        ]
        described = built[0] if len(built) == 1 else layout.add_index(built)
        manifests.append({**described, "annotations": {"org.opencontainers.image.ref.name": name}})
        size = sum(records[layer]["unpackedSize"] for layer in next(iter(platforms.values())))
        print(f"  {name:22} {size / 1e6:7.1f} MB")
    layout.finish(manifests)


if __name__ == "__main__":
    main()
