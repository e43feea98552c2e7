"""Builds a case with whittle, BuildKit or buildah, into an OCI layout. What each cannot be told, it raises as Unsupported."""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

import bases as base_images
import cases as case_files

TIMEOUT = 120


class Unsupported(Exception):
    """The builder has no option for what a case asks for."""


@dataclasses.dataclass
class Result:
    status: int
    text: str
    layout: pathlib.Path

    @property
    def built(self):
        return self.status == 0


class Files:
    """The files of one case on disk."""

    def __init__(self, case, directory):
        self.directory = pathlib.Path(directory)
        # The address of a context that is not here; the Dockerfile is in it.
        self.url = case.get("context_url")
        self.context = self.directory / "context"
        case_files.write_tree(self.context, case.get("context", {}))
        name = case.get("file")
        self.dockerfile = self.context / name if name else self.directory / "dockerfile" / "Dockerfile"
        if not self.url:
            self.dockerfile.parent.mkdir(parents=True, exist_ok=True)
            self.dockerfile.write_bytes(case.dockerfile.encode())
        self.contexts = {}
        for name, value in case.get("contexts", {}).items():
            if isinstance(value, dict):
                self.contexts[name] = self.directory / f"context-{name}"
                case_files.write_tree(self.contexts[name], value)
            else:
                self.contexts[name] = value
        self.secrets = {}
        for name, text in case.get("secrets", {}).items():
            self.secrets[name] = self.directory / f"secret-{name}"
            self.secrets[name].write_text(text)


def run(command, case, directory):
    environment = {**os.environ, **case.get("env", {})}
    environment.pop("SOURCE_DATE_EPOCH", None)
    environment.update(case.get("env", {}))
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, timeout=TIMEOUT, env=environment,
                                cwd=directory, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return 124, f"no end after {TIMEOUT} s"
    return result.returncode, (result.stdout + result.stderr).decode(errors="replace")


def dockerfile_option(case, files):
    """`-f`, as whittle and buildah have it: of a context that is elsewhere a file in it, if it is not named Dockerfile."""
    if not files.url:
        return ["-f", files.dockerfile]
    return ["-f", case.get("file")] if case.get("file") else []


class Whittle:
    name = "whittle"

    def __init__(self, program, bases, directory):
        self.program, self.bases, self.store = program, bases, pathlib.Path(directory) / "store"

    def build(self, case, files):
        destination = files.directory / "whittle"
        command = [self.program, "build", "--root", self.store, "--progress=plain", "-o", f"type=oci,tar=false,dest={destination}"]
        command += dockerfile_option(case, files)
        for name, path in base_images.named_in(case, self.bases).items():
            command += ["--build-context", f"{name}=oci-layout://{path}:latest"]
        for name, value in files.contexts.items():
            if value in self.bases:
                value = f"oci-layout://{self.bases[value]}:latest"
            command += ["--build-context", f"{name}={value}"]
        command += [f"--build-arg={name}={value}" for name, value in case.get("build_args", {}).items()]
        command += [f"--label={name}={value}" for name, value in case.get("labels", {}).items()]
        command += [f"--secret=id={name},src={path}" for name, path in files.secrets.items()]
        command += [f"--{key}={case.get(key)}" for key in ("target", "platform", "network") if case.get(key)]
        command += [f"--add-host={host}" for host in case.get("add_hosts", [])]
        command += [f"--allow={name}" for name in case.get("allow", [])]
        command += [f"--shm-size={case.get('shm_size')}"] if case.get("shm_size") else []
        command += [f"--ulimit={limit}" for limit in case.get("ulimits", [])]
        command += case.get("options", [])
        return Result(*run([*command, files.url or files.context], case, files.directory), destination)


class Buildctl:
    """BuildKit's own client with the frontend that the daemon has built in."""
    name = "buildkit"

    def __init__(self, address, bases, program="buildctl"):
        self.address, self.bases, self.program = address, bases, program

    def build(self, case, files):
        if case.get("options"):
            raise Unsupported(f"options {case.get('options')}")
        destination = files.directory / "buildkit"
        command = [self.program, "--addr", self.address, "build", "--progress=plain", "--frontend", "dockerfile.v0",
                   "-o", f"type=oci,tar=false,dest={destination}"]
        if files.url:
            command += ["--opt", f"context={files.url}"]
            command += ["--opt", f"filename={case.get('file')}"] if case.get("file") else []
        else:
            command += ["--local", f"context={files.context}", "--local", f"dockerfile={files.dockerfile.parent}",
                        "--opt", f"filename={files.dockerfile.name}"]

        def add_layout(name, base):
            path = self.bases[base]
            return ["--oci-layout", f"{base}={path}",
                    "--opt", f"context:{name}=oci-layout://{base}@{base_images.digest(path)}"]

        for name in base_images.named_in(case, self.bases):
            command += add_layout(name, name)
        for name, value in files.contexts.items():
            if value in self.bases:
                command += add_layout(name, value)
            elif isinstance(value, str):
                command += ["--opt", f"context:{name}={value}"]
            else:
                command += ["--local", f"{name}={value}", "--opt", f"context:{name}=local:{name}"]
        for name, value in case.get("build_args", {}).items():
            command += ["--opt", f"build-arg:{name}={value}"]
        for name, value in case.get("labels", {}).items():
            command += ["--opt", f"label:{name}={value}"]
        for name, path in files.secrets.items():
            command += ["--secret", f"id={name},src={path}"]
        for key in ("target", "platform"):
            if case.get(key):
                command += ["--opt", f"{key}={case.get(key)}"]
        if case.get("network"):
            command += ["--opt", f"force-network-mode={case.get('network')}"]
        if case.get("add_hosts"):
            command += ["--opt", "add-hosts=" + ",".join(host.replace(":", "=", 1) for host in case.get("add_hosts"))]
        if case.get("shm_size"):
            command += ["--opt", f"shm-size={case.get('shm_size')}"]
        if case.get("ulimits"):
            command += ["--opt", "ulimit=" + ",".join(case.get("ulimits"))]
        for name in case.get("allow", []):
            command += ["--allow", name]
        return Result(*run(command, case, files.directory), destination)


class Buildah:
    name = "buildah"

    def __init__(self, bases, directory):
        self.storage = pathlib.Path(directory) / "buildah"
        self.command = ["buildah", "--root", self.storage / "root", "--runroot", self.storage / "run",
                        "--storage-driver", os.environ.get("BUILDAH_DRIVER", "overlay")]
        for name, path in bases.items():
            self.administer("pull", "--quiet", f"oci:{path}:latest")
            found = self.administer("images", "--format", "{{.ID}} {{.Name}}").splitlines()
            image = next(line.split()[0] for line in found if line.endswith("/" + name))
            self.administer("tag", image, f"docker.io/library/{name}:latest")

    def administer(self, *words):
        result = subprocess.run([str(word) for word in [*self.command, *words]], check=False, capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"buildah {' '.join(map(str, words))}: {result.stderr.strip()}")
        return result.stdout

    def close(self):
        # Its own way first: there may be mounts.
        subprocess.run([str(word) for word in [*self.command, "rm", "--all"]], capture_output=True, check=False)
        shutil.rmtree(self.storage, ignore_errors=True)

    def build(self, case, files):
        if case.get("options"):
            raise Unsupported(f"options {case.get('options')}")
        destination = files.directory / "buildah"
        command = [*self.command, "bud", "--pull-never", "--isolation", "chroot", "--format", "oci", "--no-cache",
                   "--identity-label=false", "-t", f"oci:{destination}:latest", *dockerfile_option(case, files)]
        for name, value in files.contexts.items():
            if isinstance(value, str) and "://" not in value:
                value = f"docker://docker.io/library/{value}:latest"
            command += ["--build-context", f"{name}={value}"]
        command += [f"--build-arg={name}={value}" for name, value in case.get("build_args", {}).items()]
        command += [f"--label={name}={value}" for name, value in case.get("labels", {}).items()]
        command += [f"--secret=id={name},src={path}" for name, path in files.secrets.items()]
        command += [f"--{key}={case.get(key)}" for key in ("target", "platform", "network") if case.get(key)]
        command += [f"--add-host={host}" for host in case.get("add_hosts", [])]
        command += [f"--shm-size={case.get('shm_size')}"] if case.get("shm_size") else []
        command += [f"--ulimit={limit}" for limit in case.get("ulimits", [])]
        return Result(*run([*command, files.url or files.context], case, files.directory), destination)


def version(builder):
    """What the builder says of itself, in one line."""
    if builder.name == "buildkit":
        command = [builder.program, "--addr", builder.address, "debug", "info"]
    else:
        command = [builder.program if builder.name == "whittle" else "buildah", "--version"]
    text = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False).stdout
    return re.sub(r"\s+", " ", text).strip()
