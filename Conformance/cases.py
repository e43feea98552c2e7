"""Reads the cases: TOML files below cases/, grouped by topic. The form is described in README.md."""
import base64
import dataclasses
import io
import os
import pathlib
import tarfile
import tomllib

CASE_KEYS = {
    "name", "dockerfile", "file", "context", "contexts", "build_args", "labels", "target", "platform", "secrets", "network",
    "add_hosts", "allow", "env", "files", "only_files", "config", "history", "layers", "error", "uses", "ignore", "differs",
    "options", "bases", "served", "context_url", "shm_size", "ulimits",
}


class BadCase(Exception):
    """A case file that is not what it should be."""


@dataclasses.dataclass
class Case:
    topic: str
    number: int
    data: dict

    @property
    def name(self):
        return f"{self.topic}: {self.data['name']}"

    def get(self, key, default=None):
        return self.data.get(key, default)

    @property
    def dockerfile(self):
        return self.data.get("dockerfile", "")

    @property
    def expects_error(self):
        return "error" in self.data


def load(directory, filters=()):
    """All cases in the order of files, and the rows of the feature list that each file covers."""
    cases, names = [], set()
    for path in sorted(pathlib.Path(directory).glob("*.toml")):
        try:
            document = tomllib.loads(path.read_bytes().decode())
        except tomllib.TOMLDecodeError as error:
            raise BadCase(f"{path}: {error}") from error
        for number, data in enumerate(document.get("case", []), 1):
            where = f"{path.name}, case {number}"
            unknown = set(data) - CASE_KEYS
            if unknown:
                raise BadCase(f"{where}: unknown keys {sorted(unknown)}")
            if "name" not in data or "dockerfile" not in data and "context_url" not in data:
                raise BadCase(f"{where}: a case needs a name and a dockerfile")
            if not any(key in data for key in ("error", "files", "only_files", "config", "history", "layers")):
                raise BadCase(f"{where}: it expects nothing")
            case = Case(path.stem, number, data)
            if case.name in names:
                raise BadCase(f"{where}: the name '{data['name']}' is taken")
            names.add(case.name)
            if not filters or any(text.lower() in case.name.lower() for text in filters):
                cases.append(case)
    return cases


def write_tree(root, files):
    """Makes the files of a context: text, or a table with what else a file can be."""
    pathlib.Path(root).mkdir(parents=True, exist_ok=True)
    hard_links, late = [], []
    for name, value in files.items():
        path = pathlib.Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, str):
            value = {"text": value}
        if "link" in value:
            path.symlink_to(value["link"])
        elif "hardlink" in value:
            hard_links.append((path, pathlib.Path(root) / value["hardlink"]))
        elif value.get("directory"):
            path.mkdir(exist_ok=True)
        elif value.get("fifo"):
            os.mkfifo(path)
        else:
            path.write_bytes(content(value))
        late.append((path, value))
    for path, target in hard_links:
        os.link(target, path)
    # Modes and times come last: a directory without the right to write would take no files, and files change its time.
    for path, value in late:
        if "owner" in value:
            os.chown(path, *map(int, value["owner"].split(":")), follow_symlinks=False)
        if "mode" in value:
            path.chmod(int(value["mode"], 8))
        if "xattr" in value:
            for name, text in value["xattr"].items():
                os.setxattr(path, name, text.encode())
        if "time" in value:
            os.utime(path, (value["time"], value["time"]), follow_symlinks=False)


def content(value):
    """The bytes of a file."""
    if "tar" in value:
        return archive(value["tar"], value.get("compression", ""))
    if "base64" in value:
        return base64.b64decode(value["base64"])
    return value.get("text", "").encode()


def archive(files, compression):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:" + compression, format=tarfile.PAX_FORMAT) as opened:
        for name, value in files.items():
            if isinstance(value, str):
                value = {"text": value}
            info = tarfile.TarInfo(name)
            info.mode, info.mtime = int(value.get("mode", "0644"), 8), value.get("time", 1_600_000_000)
            info.uid, info.gid = map(int, value.get("owner", "0:0").split(":"))
            data = b""
            if "link" in value:
                info.type, info.linkname = tarfile.SYMTYPE, value["link"]
            elif "hardlink" in value:
                info.type, info.linkname = tarfile.LNKTYPE, value["hardlink"]
            elif value.get("directory"):
                info.type = tarfile.DIRTYPE
            else:
                data = value.get("text", "").encode()
                info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
