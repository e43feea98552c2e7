"""The base images that cases build on: made here, out of busybox-static and a few tar entries. No network is needed."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Tests" / "integration"))
import layout  # noqa: E402

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def make(directory):
    """Makes all base images, each an OCI layout named `latest`; returns their directories by name."""
    directory = pathlib.Path(directory)
    bases = {"busybox": layout.BaseImage.busybox(directory / "busybox")}
    shell = [layout.busybox_layer()]

    # Everything that a base image can hand down.
    bases["base-config"] = layout.BaseImage.of(directory / "base-config", shell, config={
        "Env": [PATH, "FROM_BASE=yes", "OTHER=base"], "Cmd": ["base-cmd"], "Entrypoint": ["base-entry"], "User": "builder",
        "WorkingDir": "/base", "Labels": {"from": "base", "kept": "1"}, "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/base-volume": {}}, "StopSignal": "SIGINT",
        "Healthcheck": {"Test": ["CMD", "check"], "Interval": 5_000_000_000}})
    bases["base-onbuild"] = layout.BaseImage.of(directory / "base-onbuild", shell, config={
        "Env": [PATH], "OnBuild": ["COPY f /from-trigger", "ENV TRIGGERED=yes", "RUN echo ran > /trigger-ran"]})
    # Two layers, with deletions in the second, links on the way, and unusual modes.
    below = [layout.directory("d"), layout.file("d/old", b"old\n"), layout.file("d/kept", b"kept\n"),
             layout.directory("private", 0o700, uid=5, gid=6), layout.directory("real"), layout.link("linked", "real"),
             layout.link("absolute", "/real"), layout.link("outside", "../../etc"), layout.file("plain", b"plain\n", 0o4755)]
    above = [layout.file("d/.wh.old"), layout.file("d/new", b"new\n", uid=7, gid=8)]
    bases["base-files"] = layout.BaseImage.of(directory / "base-files", shell + [below, above], config={"Env": [PATH]})
    return {name: base.directory for name, base in bases.items()}


def digest(directory):
    """What the layout's index calls its image."""
    return json.loads((pathlib.Path(directory) / "index.json").read_text())["manifests"][0]["digest"]


def named_in(case, bases):
    """The base images that a case speaks of."""
    text = " ".join([case.dockerfile, str(case.get("contexts", "")), str(case.get("build_args", ""))])
    return {name: path for name, path in bases.items() if name in text or name in case.get("bases", [])}
