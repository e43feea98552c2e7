"""What steps may use of the machine."""
import pathlib
import subprocess

from harness import test

MEMORY = "FROM busybox\nRUN dd if=/dev/zero of=/dev/shm/x bs=1M count=48 && echo $((40 + 8))-written\n"


def groups():
    return {str(path) for path in pathlib.Path("/sys/fs/cgroup").glob("**/whittle-*")}


@test("--resource limits steps, is in no key, and leaves no control group")
def limits(case):
    before = groups()
    v1 = pathlib.Path("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists()
    if not v1 and not pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists():
        print("      skipped: no control groups on this machine")
        return
    for runtime in ("crun", "runc"):
        failed = case.fails(MEMORY, {}, "--no-cache", "--resource", "memory=24m,memory-swap=24m", "--runtime", runtime)
        failed.says_not("48-written")
        failed.says("error[step-failed]", "the step used up the memory that --resource memory gives it")
        case.build(MEMORY, {}, "--no-cache", "--resource", "memory=512m", "--runtime", runtime).says("48-written")
    assert not case.build(MEMORY, {}, "--resource", "memory=600m").ran("RUN dd")
    assert not case.build(MEMORY, {}).ran("RUN dd")
    image = case.image("FROM busybox\nRUN grep -h Cpus_allowed_list /proc/self/status | cut -f2 > /cpus; cat /proc/self/cgroup > /groups\n",
                       {}, "--resource", "cpuset-cpus=0,cpu-quota=50000,cpu-period=100000", "--resource", "cpu-shares=512")
    assert image.read("/cpus") == "0\n"
    assert "/whittle-" in image.read("/groups")
    assert groups() == before


@test("--cgroup-parent names the group above those of the steps")
def parent(case):
    before = groups()
    if not pathlib.Path("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists():
        print("      skipped: needs control groups v1")
        return
    image = case.image("FROM busybox\nRUN cat /proc/self/cgroup > /groups\n", {}, "--cgroup-parent", "/whittle-test-parent/a")
    assert ":memory:/whittle-test-parent/a/whittle-" in image.read("/groups"), image.read("/groups")
    assert groups() == before
    case.fails(MEMORY, {}, "--cgroup-parent", "/a/../b").says("error[invalid-argument]", "it is no path of a control group")


@test("a resource that cannot be is told")
def invalid(case):
    for text, message in [
        ("memory=2x", "memory cannot be '2x'"), ("memroy=1g", "did you mean 'memory'?"), ("memory", "'memory' has no value"),
        ("cpu-quota=0", "cpu-quota cannot be '0'"), ("cpuset-cpus=2-1", "cpuset-cpus cannot be '2-1'"),
        ("memory=2g,memory-swap=1g", "memory-swap is less than memory"),
    ]:
        case.fails("FROM busybox\n", {}, "--resource", text).says("error[invalid-argument]", message)
    case.fails("FROM busybox\nRUN true\n", {}, "--resource", "cpuset-cpus=4000").says(
        ":2:1: error[resource-limits]", "cpuset.cpus'", "hint: the kernel does not take this value here")
