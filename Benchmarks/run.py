#!/usr/bin/env python3
"""Measures whittle against buildah and gzip, and compares with the targets.

    usage: Benchmarks/run.py [WHITTLE] [--case NAME]… [--runs N]

Without --case all cases run and Benchmarks/RESULTS.md is written. Needs root, buildah, hyperfine, skopeo, gzip and GNU time
(scripts/setup.sh bench).
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import shlex
import shutil
import subprocess
import sys
import tarfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
WORK = pathlib.Path(os.environ.get("BENCH_DIR", REPOSITORY / ".cache" / "bench"))
LAYOUT = REPOSITORY / ".cache" / "base-images" / "oci"
ALPINE = WORK / "alpine"


class Row:
    """One line of the result: what was measured, against what, and what was to be reached."""

    def __init__(self, case, measured, compared, ratio, target, is_met):
        self.case, self.measured, self.compared = case, measured, compared
        self.ratio, self.target, self.is_met = ratio, target, is_met

    def line(self):
        return (f"| {self.case} | {self.measured} | {self.compared} | {self.ratio} | {self.target} "
                f"| {'yes' if self.is_met else '**no**'} |")


class Bench:
    def __init__(self, whittle, runs):
        self.whittle, self.runs = str(whittle), runs
        self.store = WORK / "whittle-store"
        self.commands, self.memory = [], {}

    # ---- commands

    def whittle_build(self, context, *options, store=None):
        return [self.whittle, "build", "--root", str(store or self.store), "--progress=quiet",
                "--build-context", f"alpine=oci-layout://{ALPINE}:latest", *options, str(context)]

    def buildah(self, *arguments):
        return ["buildah", "--root", str(WORK / "buildah"), "--runroot", str(WORK / "buildah-run"),
                "--storage-driver", "overlay", *arguments]

    def buildah_build(self, context, *options):
        return self.buildah("build", "--isolation", "chroot", "--layers", "--quiet", "--format", "oci",
                            *options, "-t", "bench", str(context))

    def load_base_image(self):
        """Puts alpine into buildah's storage, under the name that `FROM alpine` finds first."""
        storage = f"containers-storage:[overlay@{WORK / 'buildah'}+{WORK / 'buildah-run'}]localhost/alpine:latest"
        subprocess.run(["skopeo", "copy", "--quiet", f"oci:{ALPINE}:latest", storage], check=True)

    def clear_buildah(self):
        for mounted in reversed(pathlib.Path("/proc/mounts").read_text().splitlines()):
            path = mounted.split()[1]
            if path.startswith(str(WORK) + "/"):
                subprocess.run(["umount", "-l", path], check=False)
        for name in ("buildah", "buildah-run"):
            shutil.rmtree(WORK / name, ignore_errors=True)

    def clear_store(self):
        shutil.rmtree(self.store, ignore_errors=True)

    # ---- measuring

    def hyperfine(self, title, commands, prepare=None, runs=None, warmup=1):
        """Medians in seconds of named commands, measured in one call; `prepare` by name, run before each run."""
        export = WORK / "hyperfine.json"
        call = ["hyperfine", "--style", "none", "--export-json", str(export), "--warmup", str(warmup),
                "--runs", str(runs or self.runs)]
        for name in commands:
            call += ["--command-name", name]
        if prepare:
            for name in commands:
                call += ["--prepare", prepare.get(name) or "true"]
        else:
            call += ["--shell=none"]
        texts = [text if isinstance(text, str) else shlex.join(text) for text in commands.values()]
        print(f"{title}:", ", ".join(commands), flush=True)
        result = subprocess.run(call + texts, capture_output=True, text=True)
        if result.returncode != 0:
            for text in texts:
                single = subprocess.run(text, shell=True, capture_output=True, text=True)
                if single.returncode != 0:
                    raise SystemExit(f"bench: failed: {text}\n{single.stdout[-2000:]}{single.stderr[-2000:]}")
            raise SystemExit(f"bench: hyperfine failed: {result.stderr[-2000:]}")
        measured = json.loads(export.read_text())["results"]
        for name, text in zip(commands, texts):
            self.commands.append((title, name, text))
        return {each["command"]: each["median"] for each in measured}

    def peak_memory(self, title, command):
        """Notes the largest resident size, in bytes, of the process or one of its children."""
        report = WORK / "time"
        subprocess.run(["/usr/bin/time", "-f", "%M", "-o", str(report), *command], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.memory[title] = int(report.read_text().split()[-1]) * 1024

    # ---- cases

    def start_up(self):
        subprocess.run(["swift", "build", "-c", "release", "--static-swift-stdlib", "--package-path",
                        str(REPOSITORY / "Benchmarks" / "EmptyProgram"), "--scratch-path", str(WORK / "empty-build")],
                       check=True, stdout=subprocess.DEVNULL)
        empty = WORK / "empty-build" / "release" / "EmptyProgram"
        times = self.hyperfine("start-up", {"whittle --version": [self.whittle, "--version"], "empty program": [str(empty)]},
                               runs=200, warmup=20)
        ours, theirs = times["whittle --version"], times["empty program"]
        yield Row("`whittle --version`", seconds(ours), f"empty program {seconds(theirs)}",
                  f"{ours / theirs:.2f} ×", "≤ 3 ×", ours <= 3 * theirs)

    def outline(self):
        """The outline of a Dockerfile of 500 lines, against the start of the program."""
        directory = WORK / "outline"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "Dockerfile").write_text(long_dockerfile(500))
        times = self.hyperfine(
            "outline of 500 lines", {"outline": [self.whittle, "build", "--call=outline", str(directory)],
                                     "start": [self.whittle, "--version"]}, runs=100, warmup=10)
        ratio = times["outline"] / times["start"]
        yield Row("`--call=outline` of 500 lines", seconds(times["outline"]), f"start {seconds(times['start'])}",
                   f"{ratio:.1f} ×", "≤ 2 ×", ratio <= 2)

    def lowering(self):
        """Parsing and lowering, in one process and on one core: the files of $BENCH_DOCKERFILES, else those of Examples/."""
        root = pathlib.Path(os.environ.get("BENCH_DOCKERFILES", REPOSITORY / "Examples"))
        files = sorted(str(path) for path in root.rglob("*") if path.is_file() and "ockerfile" in path.name)
        command = [self.whittle, "parse", "--benchmark", *files]
        self.commands.append(("lowering", "whittle", f"whittle parse --benchmark  # {len(files)} files of {root.name}"))
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rate = int(said.rsplit(": ", 1)[1].split()[0])
        yield Row("Dockerfiles parsed and lowered", f"{rate:,} lines/s a core", said.split(" lines")[0] + " lines", "",
                   "≥ 20,000 lines/s", rate >= 20_000)

    def cached(self):
        yield from self.cached_with("fully cached, 3 stages, 10 files", context_of(10), 0.03, True)

    def cached_large(self):
        yield from self.cached_with("fully cached, 3 stages, 20,000 files", context_of(20000), 0.02, False)

    def cached_with(self, title, context, target, with_version):
        self.clear_store()
        self.clear_buildah()
        self.load_base_image()
        ours, theirs = self.whittle_build(context, "-t", "bench"), self.buildah_build(context)
        for command in (ours, theirs):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        commands = {"whittle": ours, "buildah": theirs}
        if with_version:
            commands["whittle --version"] = [self.whittle, "--version"]
        times = self.hyperfine(title, commands, runs=max(self.runs, 20) if with_version else self.runs, warmup=1)
        self.peak_memory(title, ours)
        ratio = times["whittle"] / times["buildah"]
        yield Row(title, seconds(times["whittle"]), f"buildah {seconds(times['buildah'])}",
                  f"{ratio:.4f} ×", f"≤ {target} ×", ratio <= target)
        if with_version:
            ratio = times["whittle"] / times["whittle --version"]
            yield Row(title, seconds(times["whittle"]), f"`whittle --version` {seconds(times['whittle --version'])}",
                      f"{ratio:.2f} ×", "≤ 2.5 ×", ratio <= 2.5)

    def run_true(self):
        title = "30 × `RUN true`, cold"
        context = directory_with({"Dockerfile": "FROM alpine\n" + "".join(
            f"RUN true # {number}\n" for number in range(30))}, "run-true")
        self.clear_store()
        self.clear_buildah()
        self.load_base_image()
        subprocess.run(self.whittle_build(context, "-t", "bench"), check=True, stdout=subprocess.DEVNULL)
        commands = {"whittle": self.whittle_build(context, "--no-cache", "-t", "bench"),
                    "buildah": self.buildah_build(context, "--no-cache"),
                    "crun run /bin/true": self.bare_crun()}
        times = self.hyperfine(title, commands, runs=self.runs)
        self.peak_memory(title, commands["whittle"])
        ratio = times["whittle"] / times["buildah"]
        yield Row(title, seconds(times["whittle"]), f"buildah {seconds(times['buildah'])}",
                  f"{ratio:.3f} ×", "≤ 0.35 ×", ratio <= 0.35)
        step, bare = times["whittle"] / 30, times["crun run /bin/true"]
        yield Row(title + ", per step", seconds(step), f"`crun run` of /bin/true {seconds(bare)}",
                  f"{step / bare:.2f} ×", "≤ 2 ×", step <= 2 * bare)

    def bare_crun(self):
        """A bundle with alpine's root, and the command that runs /bin/true in it with crun alone."""
        bundle = WORK / "crun-bundle"
        if not bundle.exists():
            subprocess.run(["umoci", "unpack", "--image", f"{ALPINE}:latest", str(bundle)], check=True,
                           stdout=subprocess.DEVNULL)
        config = json.loads((bundle / "config.json").read_text())
        config["process"]["args"], config["process"]["terminal"] = ["/bin/true"], False
        config["linux"]["namespaces"] = [
            space for space in config["linux"]["namespaces"] if space["type"] not in ("network", "cgroup")]
        config["linux"].pop("resources", None)
        config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "cgroup"]
        (bundle / "config.json").write_text(json.dumps(config))
        # hyperfine itself runs in a mount namespace where crun's objection to mixed cgroups is removed: see main().
        return ["crun", "--cgroup-manager=disabled", "run", "--bundle", str(bundle), "bench"]

    def parallel(self):
        title = "two stages of `RUN sleep 2`"
        context = directory_with({"Dockerfile": (
            "FROM alpine AS one\nRUN sleep 2 && echo 1 > /one\nFROM alpine AS two\nRUN sleep 2 && echo 2 > /two\n"
            "FROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n")}, "parallel")
        subprocess.run(self.whittle_build(context, "-t", "bench"), check=True, stdout=subprocess.DEVNULL)
        command = self.whittle_build(context, "--no-cache", "-t", "bench")
        times = self.hyperfine(title, {"whittle": command}, runs=self.runs, warmup=0)
        self.peak_memory(title, command)
        ratio = times["whittle"] / 2
        yield Row(title, seconds(times["whittle"]), "2 s", f"{ratio:.2f} ×", "≤ 1.2 ×", ratio <= 1.2)

    def copy(self):
        title = "COPY of 20,000 files, cold"
        context = context_of(20000, dockerfile="FROM scratch\nCOPY . /files\n", name="copy-20000")
        self.clear_buildah()
        remove_ours, remove_theirs = f"rm -rf {self.store}", self.clear_script()
        commands = {"whittle": self.whittle_build(context, "-t", "bench"), "buildah": self.buildah_build(context)}
        times = self.hyperfine(title, commands, prepare={"whittle": remove_ours, "buildah": remove_theirs},
                               runs=self.runs, warmup=1)
        self.clear_store()
        self.peak_memory(title, commands["whittle"])
        ratio = times["whittle"] / times["buildah"]
        yield Row(title, seconds(times["whittle"]), f"buildah {seconds(times['buildah'])}",
                  f"{ratio:.3f} ×", "≤ 0.25 ×", ratio <= 0.25)

    def clear_script(self):
        """A script that empties buildah's storage, its overlay mount included."""
        script = WORK / "clear-buildah.sh"
        script.write_text(f"#!/bin/sh\numount -l {WORK}/buildah/overlay 2>/dev/null\n"
                          f"rm -rf {WORK}/buildah {WORK}/buildah-run\n")
        script.chmod(0o755)
        return str(script)

    def compression(self):
        context = mixed_files()
        layer = WORK / "layer.tar"
        if not layer.exists():
            with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as archive:
                archive.add(context / "files", arcname="files")
        size = layer.stat().st_size
        variants = {
            "gzip, default level": ("compression=gzip", 8, 1.03),
            "gzip, level 6": ("compression=gzip,compression-level=6", 5, 1.0),
            "gzip, level 1": ("compression=gzip,compression-level=1", 25, 1.13),
            "zstd, default level": ("compression=zstd", 15, 1.0),
        }
        packed = WORK / "layer.gz"
        commands, prepare, sizes = {"gzip -6": f"gzip -6 -c {layer} > {packed}"}, {}, {}
        once = shlex.join(self.whittle_build(context, "-o", "type=cacheonly"))
        for name, (options, _, _) in variants.items():
            output = WORK / "out.tar"
            commands[name] = self.whittle_build(context, "-o", f"type=oci,dest={output},{options}")
            prepare[name] = f"rm -rf {self.store} {output}; {once}; sync"
        times = self.hyperfine("500 MB layer", commands, prepare=prepare, runs=max(3, self.runs // 2), warmup=0)
        for name in variants:
            subprocess.run(prepare[name], shell=True, check=True, stdout=subprocess.DEVNULL)
            self.peak_memory(f"500 MB layer, {name}", commands[name])
            sizes[name] = layer_size(WORK / "out.tar")
        reference, reference_size = times["gzip -6"], packed.stat().st_size
        for name, (_, speed, size_limit) in variants.items():
            ratio, growth = reference / times[name], sizes[name] / reference_size
            yield Row(f"500 MB layer, {name}", f"{size / 1e6 / times[name]:.0f} MB/s",
                      f"`gzip -6` {size / 1e6 / reference:.0f} MB/s", f"{ratio:.1f} ×", f"≥ {speed} ×", ratio >= speed)
            limit = "no larger" if size_limit == 1 else f"≤ {100 * (size_limit - 1):.0f} % larger"
            yield Row(f"500 MB layer, {name}, size", f"{sizes[name] / 1e6:.1f} MB",
                      f"`gzip -6` {reference_size / 1e6:.1f} MB", f"{100 * (growth - 1):+.1f} %", limit,
                      growth <= size_limit)

    def memory_rows(self):
        for title, peak in self.memory.items():
            yield Row(f"peak memory, {title}", f"{peak / 1e6:.0f} MB", "", "", "≤ 200 MB", peak <= 200e6)


# ---- inputs

def long_dockerfile(lines):
    """A Dockerfile of this many lines: stages with arguments, mounts and copies, as real ones have them."""
    text = ["# syntax=docker/dockerfile:1", "ARG VERSION=1"]
    stage = 0
    while len(text) < lines - 10:
        text += [f"# stage{stage} does part {stage}", f"FROM alpine:3 AS stage{stage}", f"ARG LEVEL{stage}=1",
                 f"ENV HOME=/root PART={stage}", "RUN --mount=type=cache,target=/cache apk add a b c \\",
                 "    && make all", f"COPY src/{stage} $HOME/", "WORKDIR /app"]
        stage += 1
    text += ["FROM scratch"] + [f"COPY --from=stage{i} /app /app{i}" for i in range(lines - len(text) - 1)]
    return "\n".join(text) + "\n"


def seconds(value):
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


def directory_with(files, name):
    directory = WORK / name
    directory.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (directory / path).write_text(text)
    return directory


THREE_STAGES = """FROM alpine AS one
COPY . /src
RUN ls /src > /list
FROM alpine AS two
COPY Dockerfile /
RUN wc -l /Dockerfile > /count
FROM alpine
COPY --from=one /list /
COPY --from=two /count /
CMD ["cat", "/list"]
"""


def context_of(count, dockerfile=THREE_STAGES, name=None):
    """A context of `count` files of one to four kilobytes, in directories of a hundred."""
    directory = WORK / (name or f"context-{count}")
    if (directory / "Dockerfile").exists():
        return directory
    generator = random.Random(count)
    for number in range(count):
        path = directory / f"d{number // 100:03}" / f"file{number:05}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(generator.randbytes(generator.randrange(500, 2000)).hex().encode())
    (directory / "Dockerfile").write_text(dockerfile)
    return directory


def mixed_files(total=500_000_000):
    """A context with 500 MB of this machine's programs, libraries, texts and data, by a fixed choice."""
    directory = WORK / "mixed"
    if (directory / "Dockerfile").exists():
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    found = []
    for parent, directories, names in os.walk("/usr"):
        directories.sort()
        found += [os.path.join(parent, name) for name in sorted(names)]
    random.Random(1).shuffle(found)
    copied = 0
    for path in found:
        if os.path.islink(path) or not os.path.isfile(path) or not os.access(path, os.R_OK):
            continue
        size = os.path.getsize(path)
        if size > total // 10 or copied + size > total:
            continue
        destination = directory / "files" / path.lstrip("/")
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, destination)
        copied += size
        if copied > total * 0.995:
            break
    (directory / "Dockerfile").write_text("FROM scratch\nCOPY files /files\n")
    return directory


def layer_size(archive):
    """Bytes of all layers of the image in an OCI archive."""
    with tarfile.open(archive) as opened:
        def document(name):
            return json.load(opened.extractfile(name))
        described = document("index.json")["manifests"][0]
        manifest = document("blobs/sha256/" + described["digest"][7:])
        while "manifests" in manifest:
            manifest = document("blobs/sha256/" + manifest["manifests"][0]["digest"][7:])
        return sum(layer["size"] for layer in manifest["layers"])


# ---- report

def first_line(*command):
    output = subprocess.run(command, capture_output=True, text=True)
    return (output.stdout or output.stderr).strip().splitlines()[0]


def report(bench, rows):
    processor = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = int(open("/proc/meminfo").readline().split()[1]) / 1024 ** 2
    system = next(line.split("=", 1)[1].strip().strip('"') for line in open("/etc/os-release")
                  if line.startswith("PRETTY_NAME"))
    lines = [
        "# Results", "",
        f"Written by `make bench` on {datetime.date.today()}; see [README.md](README.md) for what is measured. Times are "
        "medians of hyperfine; whittle and what it is compared with ran in the same call.", "",
        f"Machine: {os.cpu_count()} cores of {processor}, {memory:.0f} GiB, {system}, kernel {platform.release()}.  ",
        f"whittle: {first_line(bench.whittle, '--version')}, {first_line('swift', '--version')}.  ",
        f"Compared with: {first_line('buildah', '--version')}; {first_line('gzip', '--version')}; "
        f"{first_line('crun', '--version')}.", "",
        f"{sum(row.is_met for row in rows)} of {len(rows)} targets reached.", "",
        "| case | whittle | compared with | ratio | target | reached |", "|---|---|---|---|---|---|",
        *[row.line() for row in rows], "", "## Commands", "", "```sh",
    ]
    for title, name, text in bench.commands:
        shown = text.replace(str(WORK), "$WORK").replace(str(REPOSITORY), ".")
        lines.append(f"# {title}: {name}\n{shown}")
    return "\n".join(lines + ["```", ""])


CASES = {
    "start": Bench.start_up, "cached": Bench.cached, "cached-large": Bench.cached_large, "run": Bench.run_true,
    "parallel": Bench.parallel, "compression": Bench.compression, "copy": Bench.copy, "outline": Bench.outline,
    "lowering": Bench.lowering,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("whittle", nargs="?", default=REPOSITORY / ".build" / "release" / "whittle", type=pathlib.Path)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    if os.environ.get("BENCH_NAMESPACE") != "entered":
        # A mount namespace of our own, where crun finds one version of cgroups and where buildah's mounts end with us.
        enter = "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec \"$@\""
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", "sh", "-c", enter, "sh",
                               sys.executable, *sys.argv], {**os.environ, "BENCH_NAMESPACE": "entered"})
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run([str(REPOSITORY / "scripts" / "base-images.sh"), "alpine"], check=True)
    shutil.rmtree(ALPINE, ignore_errors=True)
    subprocess.run(["skopeo", "copy", "--quiet", f"oci:{LAYOUT}:alpine:latest", f"oci:{ALPINE}:latest"], check=True)
    bench, rows = Bench(arguments.whittle.resolve(), arguments.runs), []
    for name in arguments.case or CASES:
        for row in CASES[name](bench):
            rows.append(row)
            print("  " + row.line(), flush=True)
    for row in bench.memory_rows():
        rows.append(row)
        print("  " + row.line(), flush=True)
    bench.clear_buildah()
    bench.clear_store()
    if not arguments.case:
        (REPOSITORY / "Benchmarks" / "RESULTS.md").write_text(report(bench, rows))
    missed = [row for row in rows if not row.is_met]
    print(f"bench: {len(rows) - len(missed)} of {len(rows)} targets reached")
    for row in missed:
        print("missed: " + row.line())


if __name__ == "__main__":
    main()
