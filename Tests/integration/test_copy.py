"""whittle pull, copy and manifest, with other tools at the other end."""
import hashlib
import json

from dockerregistry import DockerRegistry, skopeo
from harness import read_json, test
from layout import OCI
from test_login import home


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def two_platforms(case, name):
    """An OCI layout with an index of two platforms, made by whittle, and an attestation of one."""
    layout = case.directory / name
    case.build("FROM scratch\nARG TARGETARCH\nLABEL arch=$TARGETARCH\nCOPY f /\n", {"f": "x" * 70000},
               "--platform=linux/amd64,linux/arm64", "-o", f"type=oci,tar=false,dest={layout}")

    def add(data, media_type, **more):
        (layout / "blobs/sha256" / digest(data)[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}

    index = json.loads(root_of(layout)[1])
    statement = add(b'{"_type":"https://in-toto.io/Statement/v0.1"}', "application/vnd.in-toto+json")
    config = add(b'{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}', OCI + "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [statement]}
    index["manifests"].append(add(
        json.dumps(manifest).encode(), OCI + "manifest.v1+json", platform={"architecture": "unknown", "os": "unknown"},
        annotations={"vnd.docker.reference.type": "attestation-manifest",
                     "vnd.docker.reference.digest": index["manifests"][0]["digest"]}))
    root = add(json.dumps(index, indent=1).encode(), OCI + "index.v1+json")
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    return layout


def root_of(layout):
    entry = read_json(layout / "index.json")["manifests"][0]
    return entry["digest"], (layout / "blobs/sha256" / entry["digest"][7:]).read_bytes()


def inspect_raw(case, name, env):
    return skopeo(case, "inspect", "--raw", "--tls-verify=false", f"docker://{name}", env=env).out.encode()


@test("pull brings what skopeo pushed, under its name, and prints what docker prints")
def pull(case):
    env = home(case)
    with DockerRegistry(case.directory / "registry") as registry:
        name = f"{registry.host}/team/app:1"
        skopeo(case, "copy", "-q", "--dest-tls-verify=false", f"oci:{case.base.directory}:latest", f"docker://{name}", env=env)
        expected = digest(inspect_raw(case, name, env))
        answer = case.run(case.command("pull", "--root", case.store, name), env=env)
        assert answer.out.startswith(f"1: Pulling from {registry.host}/team/app\n"), answer.out
        answer.says(": Pull complete", f"Digest: {expected}", f"Status: Downloaded newer image for {name}")
        assert answer.out.endswith(f"\n{name}\n")
        case.run(case.command("pull", "--root", case.store, "-q", name), env=env)
        case.run(case.command("pull", "--root", case.store, name), env=env).says(": Already exists", "is up to date")
        case.run(case.command("images", "--root", case.store, name)).says("1  ")
        # The registry is not needed any more: a build and a run take what the store has.
    case.run(case.command("run", "--root", case.store, name, "/bin/echo", "it runs"), env=env).says("it runs")
    case.run(case.build_command(case.context(), "-o", "type=cacheonly", dockerfile=f"FROM {name}\nRUN true\n"), env=env)
    case.run(case.command("fsck", "--root", case.store))
    case.run(case.command("pull", "--root", case.store, name, "a b"), env=env, status=1).says("error[invalid-image-reference]")
    case.run(case.command("pull", "--root", case.store, name), env=env, status=1).says("error[registry-unreachable]")


@test("run pulls an image that the store does not have, unless it may not")
def run_pulls(case):
    env = home(case)
    with DockerRegistry(case.directory / "registry") as registry:
        name = f"{registry.host}/app"
        skopeo(case, "copy", "-q", "--dest-tls-verify=false", f"oci:{case.base.directory}:latest", f"docker://{name}", env=env)
        run = case.command("run", "--root", case.store)
        case.run([*run, "--pull=never", name, "true"], env=env, status=125).says("error[unknown-image]")
        answer = case.run([*run, name, "echo", "pulled"], env=env)
        assert answer.out == "pulled\n", answer.out
        case.run([*run, name, "echo", "again"], env=env).says_not("asking its registry")
        skopeo(case, "delete", "--tls-verify=false", f"docker://{name}", env=env)
        case.run([*run, "--pull=always", name, "true"], env=env, status=125).says("error[image-not-found]")
        case.run([*run, f"{registry.host}/ap", "true"], env=env, status=125).says("error[unknown-image]", "not found in", "did you mean")


@test("an image of several platforms is pulled for one, or whole")
def platforms(case):
    env = home(case)
    layout = two_platforms(case, "layout")
    whole, text = root_of(layout)
    with DockerRegistry(case.directory / "registry") as registry:
        name = f"{registry.host}/app:1"
        case.run(case.command("copy", "--all", f"oci:{layout}", f"docker://{name}"), env=env)
        assert inspect_raw(case, name, env) == text
        store = ["--root", case.store]
        case.run(case.command("pull", *store, "--platform=linux/arm64", name), env=env).says(f"Digest: {whole}")
        assert case.run(case.command("inspect", *store, "-f", "{{.Architecture}}", name)).out == "arm64\n"
        case.run(case.command("pull", *store, "--all-platforms", name), env=env).says(f"Digest: {whole}")
        case.run(case.command("copy", *store, "--all", name, "oci:back:1"), env=env)
        assert root_of(case.directory / "back")[0] == whole
        case.run(case.command("pull", *store, "--platform=linux/s390x", name), env=env, status=1).says(
            "error[wrong-platform]", "linux/amd64, linux/arm64")
        case.run(case.command("fsck", *store))


@test("copy goes between registries, layouts, archives and the store, and changes no byte")
def everywhere(case):
    env = home(case)
    layout = two_platforms(case, "layout")
    whole, text = root_of(layout)
    copy = [*case.command("copy"), "--root", case.store]
    with DockerRegistry(case.directory / "one") as one, DockerRegistry(case.directory / "two") as two:
        first, second = f"{one.host}/team/app:1", f"{two.host}/other/app:2"
        case.run([*copy, "--all", f"oci:{layout}", f"docker://{first}"], env=env)
        # From registry to registry nothing is kept here.
        before = sorted((case.store / "blobs/sha256").iterdir())
        case.run([*copy, "--all", "--digestfile=digest", f"docker://{first}", f"docker://{second}"], env=env).says(": copied")
        assert sorted((case.store / "blobs/sha256").iterdir()) == before
        assert (case.directory / "digest").read_text() == whole
        assert inspect_raw(case, second, env) == text
        # In one registry blobs are mounted.
        answer = case.run([*copy, "--all", f"docker://{first}", f"docker://{one.host}/more/app"], env=env)
        answer.says("mounted from team/app").says_not(": copied")
        case.run([*copy, "--all", f"docker://{first}", f"docker://{one.host}/more/app"], env=env).says_not("mounted")
        # Everything that skopeo wrote, to everything that skopeo reads.
        places = [f"docker://{second}", "oci:o:1", "oci-archive:a.tar:1", "docker-archive:d.tar:app:3", "store:app:4", "app:5"]
        for place in places:
            case.run([*copy, f"docker://{first}", place], env=env)
        listed = {}
        for place in places[:4]:
            flags = ["--tls-verify=false"] if place.startswith("docker:") else []
            listed[place] = json.loads(skopeo(case, "inspect", *flags, "--config", place, env=env).out)
        listed["store"] = json.loads(case.run(case.command("inspect", "--root", case.store, "--raw=config", "app:4")).out)
        assert len({json.dumps(value, sort_keys=True) for value in listed.values()}) == 1, listed
        for tool, place in [("skopeo", "oci:so:1"), ("skopeo", "oci-archive:sa.tar:1"), ("skopeo", "docker-archive:sd.tar:x:1"),
                            ("skopeo", f"docker://{two.host}/so:1")]:
            skopeo(case, "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", f"docker://{first}", place, env=env)
            case.run([*copy, place, "store:from-skopeo"], env=env)
            assert case.run(case.command("inspect", "--root", case.store, "-f", "{{.Config.Labels.arch}}", "from-skopeo")).out
        case.run([*copy, "docker-archive:sd.tar", f"docker://{two.host}/from-archive:1"], env=env)
        skopeo(case, "inspect", "--tls-verify=false", f"docker://{two.host}/from-archive:1", env=env)
        # Docker's own manifest formats pass as they are.
        skopeo(case, "copy", "-q", "--all", "--format=v2s2", "--src-tls-verify=false", "--dest-tls-verify=false",
               f"docker://{first}", f"docker://{one.host}/v2s2:1", env=env, status=None)
        skopeo(case, "copy", "-q", "--format=v2s2", "--src-tls-verify=false", "--dest-tls-verify=false",
               f"docker://{first}", f"docker://{one.host}/v2s2:1", env=env)
        case.run([*copy, f"docker://{one.host}/v2s2:1", f"docker://{two.host}/v2s2:1"], env=env)
        assert inspect_raw(case, f"{one.host}/v2s2:1", env) == inspect_raw(case, f"{two.host}/v2s2:1", env)
        case.run([*copy, "--all", "docker://" + first, "docker-archive:x.tar:x"], env=env, status=1).says(
            "error[docker-archive-of-index]")
        case.run([*copy, "docker://" + first, "dir:x"], env=env, status=1).says("error[invalid-image-place]", "'dir:'")
        case.run([*copy, f"docker://{one.host}/none", "x"], env=env, status=1).says("error[image-not-found]")
        case.run([*copy, "oci-archive:a.tar:2", "x"], env=env, status=1).says("error[image-not-found]", "'a.tar'")
        umoci = case.run(["umoci", "ls", "--layout", "o"])
        assert umoci.out == "1\n", umoci.out


@test("manifest create makes an index of images, which buildah and skopeo read, and of lists that buildah made")
def manifest(case):
    env = home(case)
    with DockerRegistry(case.directory / "registry") as registry:
        for arch in ("amd64", "arm64"):
            case.build("FROM scratch\nCOPY f /\n", {"f": arch}, f"--platform=linux/{arch}", "-t", f"app:{arch}", env=env)
            case.run(case.command("copy", "--root", case.store, f"app:{arch}", f"docker://{registry.host}/{arch}:1"), env=env)
        create = [*case.command("manifest", "create"), "--root", case.store]
        name = f"{registry.host}/team/both:1"
        sources = ["app:amd64", f"{registry.host}/arm64:1"]
        dry = json.loads(case.run([*create, "--dry-run", "--annotation=a=b", "--annotation",
                                   "manifest-descriptor[linux/arm64]:c=d", name, *sources], env=env).out)
        assert dry["annotations"] == {"a": "b"} and dry["manifests"][1]["annotations"] == {"c": "d"}, dry
        assert [m["platform"]["architecture"] for m in dry["manifests"]] == ["amd64", "arm64"]
        case.run([*create, "--push", name, *sources], env=env).says("Created manifest list", "Digest: sha256:")
        text = inspect_raw(case, name, env)
        assert [m["platform"]["architecture"] for m in json.loads(text)["manifests"]] == ["amd64", "arm64"]
        for arch in ("amd64", "arm64"):
            shown = skopeo(case, "inspect", "--tls-verify=false", "--override-arch", arch, f"docker://{name}", env=env)
            assert json.loads(shown.out)["Architecture"] == arch
        inspect = [*case.command("manifest", "inspect"), "--root", case.store]
        assert case.run([*inspect, "--raw", name], env=env).out.encode() == text
        case.run([*inspect, name], env=env).says(f"Digest:     {digest(text)}", "Platform:   linux/arm64")
        assert case.run([*inspect, "--format", "{{.Digest}} {{.Image.architecture}}", "--platform=linux/arm64", name],
                        env=env).out == f"{digest(text)} arm64\n"
        # In the store, and pushed from there; one image renewed.
        case.run([*create, "list", *sources], env=env)
        case.build("FROM scratch\nCOPY f /\n", {"f": "new"}, "--platform=linux/arm64", "-t", "app:arm64", env=env)
        case.run([*create, "--append", "list", "app:arm64"], env=env)
        case.run(case.command("copy", "--root", case.store, "--all", "list", f"docker://{registry.host}/list"), env=env)
        entries = json.loads(inspect_raw(case, f"{registry.host}/list", env))["manifests"]
        new = case.run([*inspect, "--format={{.Digest}}", "app:arm64"], env=env).out.strip()
        assert len(entries) == 2 and entries[1]["digest"] == new, (entries, new)
        # What buildah made of them.
        buildah = ["buildah", "--storage-driver=vfs", "--root", case.directory / "b", "--runroot", case.directory / "br"]
        case.run([*buildah, "manifest", "create", "made"], env=env)
        for arch in ("amd64", "arm64"):
            case.run([*buildah, "manifest", "add", "--tls-verify=false", "made", f"docker://{registry.host}/{arch}:1"], env=env)
        case.run([*buildah, "manifest", "push", "--tls-verify=false", "--all", "made", f"docker://{registry.host}/made:1"], env=env)
        case.run([*inspect, f"{registry.host}/made:1"], env=env).says("linux/amd64", "linux/arm64")
        case.run(case.command("pull", "--root", case.store, "--all-platforms", f"{registry.host}/made:1"), env=env)
        case.run([*create, "--dry-run", "x", f"{registry.host}/made:1"], env=env).says('"arm64"')
        case.run([*create, "x", "none-such:1"], env={**env, "http_proxy": ""}, status=1).says("error[")
        case.run([*create, "--dry-run", "--annotation=manifest:a=b", "x", "app:arm64"], env=env, status=1).says(
            "error[invalid-argument]")
