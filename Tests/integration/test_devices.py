"""RUN --device: devices that files of the Container Device Interface describe."""
import json

from harness import test


def describe(case, **edits):
    directory = case.directory / "cdi"
    directory.mkdir(exist_ok=True)
    case.add(directory, {"tool": "from the machine\n"})
    (directory / "test.json").write_text(json.dumps({
        "cdiVersion": "0.6.0", "kind": "test.example/device", "containerEdits": {"env": ["SHARED=yes"]},
        "devices": [
            {"name": "full", "containerEdits": {
                "env": ["FROM_DEVICE=1", "REPLACED=device"], "deviceNodes": [{"path": "/dev/whittle-full", "hostPath": "/dev/full"}],
                "mounts": [{"hostPath": str(directory / "tool"), "containerPath": "/opt/device/tool", "options": ["ro", "bind"]}],
                "additionalGids": [4242]}},
            {"name": "other", "annotations": {"org.mobyproject.buildkit.device.class": "accelerator"},
             "containerEdits": {"env": ["OTHER=1"]}},
            {"name": "broken", "containerEdits": edits or {"deviceNodes": [{"path": "/dev/whittle-nowhere"}]}}],
    }))
    return ["--cdi-spec-dir", directory]


@test("a device brings its environment, nodes, mounts and groups, and leaves nothing in the layer")
def device(case):
    places = describe(case)
    dockerfile = """
FROM busybox
ENV REPLACED=image
RUN --device=test.example/device=full,required \\
    echo "$FROM_DEVICE $SHARED $REPLACED" > /seen; cat /opt/device/tool >> /seen; id -G >> /seen; \\
    test -c /dev/whittle-full && ! echo x > /dev/whittle-full; true
RUN echo "$FROM_DEVICE" > /after; ls /opt >> /after 2>&1; true
"""
    case.fails(dockerfile, {}, *places).says(
        ":4:14: error[not-allowed]: RUN --device=test.example/device=full is not allowed",
        "--allow device=test.example/device=full")
    for runtime in ("crun", "runc"):
        image = case.image(dockerfile, {}, *places, "--allow", "device", "--no-cache", "--runtime", runtime)
        seen = image.read("/seen").splitlines()
        assert seen[:2] == ["1 yes device", "from the machine"] and "4242" in seen[2].split(), seen
        assert not image.has("/opt/device/tool") and not image.has("/dev/whittle-full")
        assert image.read("/after").startswith("\n")
        assert "REPLACED=image" in image.config["config"]["Env"] and "FROM_DEVICE" not in str(image.config["config"])


@test("devices are found by class, by kind and by alias, and one that is missing is told")
def names(case):
    places = describe(case)
    build = lambda name, *options: case.build(
        f"FROM busybox\nRUN --device={name} env\n", {}, *places, "--no-cache", *options)
    assert "OTHER=1" in build("accelerator", "--allow", "device").text
    assert "OTHER=1" in build("gpu", "--allow", "device=test.example/device=other,alias=gpu").text
    assert "SHARED" in build("test.example/device=other", "--allow", "device=test.example/device=other").text
    assert "SHARED" not in build("test.example/device=none", "--allow", "device").text
    required = lambda name: case.fails(
        f"FROM busybox\nRUN --device={name},required env\n", {}, *places, "--allow", "device")
    required("test.example/device=fulls").says(
        ":2:1: error[device-missing]: no device 'test.example/device=fulls' is described in", "did you mean 'test.example/device=full'?")
    required("test.example/device=broken").says("error[device-unusable]", "this machine has no device '/dev/whittle-nowhere'")
    describe(case, netDevices=[])
    required("test.example/device=broken").says("error[device-unusable]", "it needs 'netDevices', which whittle does not do")
    (case.directory / "cdi" / "test.json").write_text("{")
    required("test.example/device=full").says("error[device-unusable]", "it is no JSON")
    case.fails("FROM busybox\nRUN --device=a.b/c=d,required env\n", {}, "--allow", "device").says(
        "no device 'a.b/c=d' is described in /etc/cdi, /var/run/cdi, /etc/buildkit/cdi")
