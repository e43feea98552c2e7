"""What RUN may do beyond the sandbox, and what every step of a build is given."""
import pathlib

from harness import test


@test("RUN --security=insecure needs --allow, and has all rights")
def insecure(case):
    dockerfile = """
FROM busybox
RUN --security=insecure grep CapEff /proc/self/status | cut -f2 > /caps && \\
    mkdir -p /m && mount -t tmpfs none /m && touch /m/f && umount /m && \\
    grep -c Seccomp:.*0 /proc/self/status > /unfiltered && \\
    cat /proc/sys/kernel/hostname > /dev/null && (echo x > /proc/sys/kernel/hostname) && cat /proc/sys/kernel/hostname > /written && \\
    mount | grep ' on /sys type sysfs' | grep -c 'rw' > /sys-writable && ls -l /dev/kmsg > /devices; \\
    ls /sys/fs/cgroup > /cgroups; rmdir /m
USER builder
RUN --security=insecure grep CapEff /proc/self/status | cut -f2 > /tmp/user-caps
RUN grep CapEff /proc/self/status | cut -f2 > /tmp/sandbox-caps
"""
    refused = case.fails(dockerfile)
    refused.says("Dockerfile", ":3:5: error[not-allowed]: RUN --security=insecure is not allowed in this build",
                 "hint: if you trust the Dockerfile, add --allow security.insecure")
    image = case.image(dockerfile, {}, "--allow", "security.insecure")
    own = next(line.split()[1] for line in pathlib.Path("/proc/self/status").read_text().splitlines()
               if line.startswith("CapEff"))
    assert image.read("/caps").strip() == own
    assert image.read("/unfiltered") == "1\n" and image.read("/written") == "x\n"
    assert image.read("/sys-writable") == "1\n" and "/dev/kmsg" in image.read("/devices")
    assert image.read("/cgroups") != ""
    # The user of the step keeps them, as in BuildKit; without the flag there are none.
    assert image.read("/tmp/user-caps").strip() == own
    assert image.read("/tmp/sandbox-caps").strip() == "0" * 16


@test("RUN --network=host needs --allow or --network=host")
def host_network(case):
    dockerfile = "FROM busybox\nRUN true\nRUN --network=host ls /sys/class/net > /seen\n"
    refused = case.fails(dockerfile)
    refused.says(":3:5: error[not-allowed]: RUN --network=host is not allowed", "add --allow network.host")
    # One that is not needed asks for nothing.
    case.build("FROM busybox AS other\nRUN --network=host true\nFROM busybox\n")
    for options in (["--allow", "network.host"], ["--network", "host"], ["--allow=security.insecure,network.host"],
                    ["--network=none", "--allow", "device", "--allow", "network.host"]):
        image = case.image(dockerfile, {}, *options)
        assert "lo\n" in image.read("/seen")
    case.fails(dockerfile, {}, "--allow", "network.hots").says(
        "error[invalid-entitlement]: --allow 'network.hots': there is no such right", "did you mean 'network.host'?")


@test("--add-host is in /etc/hosts of steps, and its addresses are in no key")
def hosts(case):
    dockerfile = "FROM busybox\nRUN cat /etc/hosts > /seen\n"
    options = ["--add-host", "a.test:192.0.2.1", "--add-host", "b.test=2001:db8::1", "--add-host", "c.test:[2001:db8::2]",
               "--add-host", "gateway.test:host-gateway"]
    seen = case.image(dockerfile, {}, *options).read("/seen")
    assert seen.endswith("192.0.2.1\ta.test\n2001:db8::1\tb.test\n2001:db8::2\tc.test\n127.0.0.1\tgateway.test\n"), seen
    options[1] = "a.test:192.0.2.99"
    assert not case.build(dockerfile, {}, *options).ran("RUN cat")
    assert case.build(dockerfile, {}, "--add-host", "a.test:192.0.2.1").ran("RUN cat")
    case.fails(dockerfile, {}, "--add-host", "a.test:192.0.2").says("error[invalid-argument]", "'192.0.2' is no address")
    case.fails(dockerfile, {}, "--add-host", "a.test").says("it has no address")


@test("--shm-size and --ulimit hold in steps")
def limits(case):
    dockerfile = "FROM busybox\nRUN df -k /dev/shm | tail -1 | awk '{print $2}' > /shm; ulimit -n > /soft; ulimit -Hn > /hard; ulimit -c > /core\n"
    image = case.image(dockerfile, {}, "--shm-size", "16m", "--ulimit", "nofile=100:200", "--ulimit", "core=-1")
    assert image.read("/shm") == "16384\n"
    assert (image.read("/soft"), image.read("/hard"), image.read("/core")) == ("100\n", "200\n", "unlimited\n")
    again = ["--shm-size=16m", "--ulimit", "core=-1", "--ulimit"]
    assert not case.build(dockerfile, {}, *again, "nofile=100:200").ran("RUN df")
    assert case.build(dockerfile, {}, *again, "nofile=100:201").ran("RUN df")
    case.fails(dockerfile, {}, "--ulimit", "nofiles=1").says("there is no limit 'nofiles'", "did you mean 'nofile'?")
    case.fails(dockerfile, {}, "--ulimit", "nofile=2:1").says("the soft limit is above the hard one")
    case.fails(dockerfile, {}, "--ulimit", "nofile=x").says("'x' is no limit")
    case.fails(dockerfile, {}, "--shm-size", "big").says("error[invalid-argument]", "it is no size")


@test("BUILDKIT_ arguments speak to the builder")
def builder_arguments(case):
    image = case.image("FROM busybox\nRUN hostname > /name && cat /etc/hosts > /hosts\n", {},
                       "--build-arg", "BUILDKIT_SANDBOX_HOSTNAME=forge", "--build-arg", "BUILDKIT_BUILD_NAME=x",
                       "--build-arg", "BUILDKIT_INLINE_CACHE=1", "--build-arg", "BUILDKIT_INLNE_CACHE=1")
    assert image.read("/name") == "forge\n" and "127.0.0.1\tlocalhost forge\n" in image.read("/hosts")
    case.answer.says("BUILDKIT_INLINE_CACHE has no effect",
                     "the builder knows no argument 'BUILDKIT_INLNE_CACHE' (did you mean 'BUILDKIT_INLINE_CACHE'?)")
    case.answer.says_not("BUILDKIT_BUILD_NAME")


@test("proxy settings reach steps in both casings, and neither image, history nor key")
def proxies(case):
    dockerfile = "FROM busybox\nRUN echo \"$HTTP_PROXY $http_proxy $ALL_PROXY $all_proxy $no_proxy\" > /seen\n"
    image = case.image(dockerfile, {}, "--build-arg", "HTTP_PROXY=http://p.test:1", "--build-arg", "all_proxy=socks5://q.test",
                       "--build-arg", "NO_PROXY=localhost")
    assert image.read("/seen") == "http://p.test:1 http://p.test:1 socks5://q.test socks5://q.test localhost\n"
    assert "p.test" not in str(image.config) and "q.test" not in str(image.config)
    assert not case.build(dockerfile, {}, "--build-arg", "HTTP_PROXY=http://other.test").ran("RUN echo")


@test("docker's frontend images are built in, and no other runs")
def frontends(case):
    body = "FROM busybox\nRUN true\n"
    for name in ("docker/dockerfile:1", "docker.io/docker/dockerfile:1.7-labs", "docker/dockerfile-upstream:master",
                 "docker/dockerfile:1@sha256:" + "0" * 64, "docker/dockerfile"):
        case.build(f"# syntax={name}\n{body}")
    case.fails(f"# escape=`\n# syntax = example.test/mine:2 --flag\n{body}").says(
        ":2:12: error[unsupported-frontend]: the frontend 'example.test/mine:2' cannot be run",
        "--build-arg BUILDKIT_SYNTAX=docker/dockerfile:1")
    case.build(f"# syntax=example.test/mine:2\n{body}", {}, "--build-arg", "BUILDKIT_SYNTAX=docker/dockerfile:1")
    case.fails(body, {}, "--build-arg", "BUILDKIT_SYNTAX=docker/dockerfil").says(
        "error[unsupported-frontend]", "did you mean 'docker/dockerfile'?")
