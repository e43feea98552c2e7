"""RUN: mounts, users, network, environment, and what must not be left in a layer."""
from harness import test


@test("shell form, JSON form and SHELL")
def forms(case):
    image = case.image("""
FROM busybox
RUN echo "shell $((1 + 1))" > /shell
RUN ["sh", "-c", "echo json $0 > /json", "argument"]
SHELL ["/bin/sh", "-exc"]
RUN echo changed > /changed
""")
    assert image.read("/shell") == "shell 2\n"
    assert image.read("/json") == "json argument\n"
    assert image.read("/changed") == "changed\n"


@test("steps see ENV, ARG, WORKDIR and USER, and root's home")
def environment(case):
    image = case.image("""
FROM busybox
ENV A=1
ARG B=2
WORKDIR /w
RUN echo "$A $B $PWD $HOME $(id -u):$(id -g)" > /root-says
RUN mkdir /out && chown builder /out
USER builder
RUN echo "$(id -u):$(id -g) $(id -G)" > /out/user-says
USER 77:88
RUN id -u > /tmp/number-says
""")
    assert image.read("/root-says") == "1 2 /w /root 0:0\n"
    assert image.read("/out/user-says") == "1000:1001 1001 10\n"
    assert image.read("/tmp/number-says") == "77\n"


@test("bind mounts show the context, a stage and an image, and keep no write")
def bind_mounts(case):
    image = case.image("""
FROM busybox AS made
RUN mkdir /m && echo from-stage > /m/f
FROM busybox
RUN --mount=type=bind,target=/context --mount=type=bind,from=made,source=/m,target=/m \\
    --mount=from=busybox,source=/etc,target=/other \\
    cat /context/f /m/f > /seen && grep -c root /other/passwd >> /seen
RUN --mount=type=bind,target=/context,rw echo changed > /context/f && cat /context/f > /inside
RUN --mount=type=bind,target=/context cat /context/f > /after
RUN --mount=type=bind,target=/context ! touch /context/new 2>/dev/null
""", {"f": "from-context\n"})
    assert image.read("/seen") == "from-context\nfrom-stage\n1\n"
    assert image.read("/inside") == "changed\n"
    assert image.read("/after") == "from-context\n"
    assert not image.has("/context/f")


@test("a cache mount keeps its files from build to build and out of the layer")
def cache_mount(case):
    dockerfile = "FROM busybox\nARG N\nRUN --mount=type=cache,target=/c echo $N >> /c/log; cat /c/log > /seen\n"
    first = case.image(dockerfile, {}, "--build-arg", "N=1")
    second = case.image(dockerfile, {}, "--build-arg", "N=2")
    assert (first.read("/seen"), second.read("/seen")) == ("1\n", "1\n2\n")
    assert not second.has("/c/log")


@test("a cache mount for another owner or mode is another directory")
def cache_mount_owners(case):
    image = case.image("""
FROM busybox
RUN --mount=type=cache,target=/c touch /c/root
USER 10
RUN --mount=type=cache,target=/c,uid=10 touch /c/user && ls -A /c > /tmp/user
USER 0
RUN --mount=type=cache,target=/c ls -A /c > /tmp/root; stat -c %a /c >> /tmp/root
RUN --mount=type=cache,target=/c,mode=0700 ls -A /c > /tmp/mode; stat -c %a /c >> /tmp/mode
""")
    assert [image.read(f"/tmp/{name}") for name in ("user", "root", "mode")] == ["user\n", "root\n755\n", "700\n"]


@test("contexts and stores may lie in directories with any name")
def odd_directories(case):
    context = case.context({"placeholder": ""}) / "a:b,c d\\e'f"
    context.mkdir()
    case.add(context, {"f": "f", "ignored": "i", ".dockerignore": "ignored"})
    dockerfile = ("FROM busybox AS s\nRUN touch /g\nFROM busybox\nCOPY . /c\n"
                  "RUN --mount=type=bind,target=/m ls /m > /1\nRUN --mount=type=bind,target=/m,rw touch /m/n && ls /m > /2\n"
                  "RUN --mount=type=bind,from=s,target=/m,rw rm /m/g\nRUN --mount=type=cache,target=/m touch /m/n\n"
                  "COPY --from=s /g /g\n")
    for runtime in ("crun", "runc"):
        image = case.image(dockerfile, {}, "--runtime", runtime, context=context,
                           store=case.directory / f"{runtime} s:t,o\\re'")
        assert (image.read("/1"), image.read("/2")) == ("f\n", "f\nn\n") and image.has("/g")


@test("mounts inside a bind mount leave the context and the stage as they are")
def nested_mounts(case):
    context = case.context({"src/f": "f", ".dockerignore": "ignored", "ignored/x": "x"})
    dockerfile = ("FROM busybox AS s\nRUN mkdir /d && touch /d/g\nFROM busybox\n"
                  "RUN --mount=type=bind,target=/m --mount=type=cache,target=/m/node_modules "
                  "--mount=type=cache,target=/m/ignored --mount=type=tmpfs,target=/m/a/b "
                  "--mount=type=secret,id=s,target=/m/.env --mount=type=bind,source=src,target=/m/again "
                  "touch /m/node_modules/n /m/a/b/t; ls -A /m /m/again > /seen; cat /m/.env | wc -c >> /seen; "
                  "touch /m/new || echo refused >> /seen\n"
                  "RUN --mount=type=bind,from=s,source=/d,target=/m --mount=type=cache,target=/m/c ls /m > /stage\n"
                  "COPY --from=s /d /d\n")
    for runtime in ("crun", "runc"):
        if runtime == "runc":  # it does not make places for bind mounts itself
            dockerfile = dockerfile.replace(" --mount=type=bind,source=src,target=/m/again", "").replace(" /m/again", "")
        image = case.image(dockerfile, {}, "--runtime", runtime, "--secret", "id=s,env=S", context=context, env={"S": "four"})
        assert image.read("/seen").splitlines()[-2:] == ["4", "refused"], image.read("/seen")
        assert image.read("/stage") == "c\ng\n"
        assert not image.has("/d/c") and not image.has("/m")
        assert sorted(path.name for path in context.iterdir()) == [".dockerignore", "ignored", "src"]


@test("a step that mounts a cache twice does not wait for itself, nor two steps for each other")
def cache_locks(case):
    caches = [f"--mount=type=cache,id={name},target=/{name},sharing=locked" for name in "abcdef"]
    case.build("FROM busybox\nRUN --mount=type=cache,target=/x,id=i,sharing=locked --mount=type=cache,target=/y,id=i "
               "--mount=type=cache,target=/z,id=i,sharing=private touch /x/f && ls /y/f && ! ls /z/f\n", timeout=60)
    case.build(f"FROM busybox AS one\nRUN {' '.join(caches)} sleep 0.3; touch /1\n"
               f"FROM busybox AS two\nRUN {' '.join(reversed(caches))} sleep 0.3; touch /2\n"
               "FROM scratch\nCOPY --from=one /1 /\nCOPY --from=two /2 /\n", timeout=60)


@test("cache mounts obey id, uid, gid, mode and from")
def cache_options(case):
    image = case.image("""
FROM busybox AS seed
RUN mkdir /s && echo seeded > /s/f
FROM busybox
RUN --mount=type=cache,id=a,target=/a,uid=1000,gid=1001,mode=0750 stat -c '%u:%g %a' /a > /stat
RUN --mount=type=cache,id=b,target=/b,from=seed,source=/s cat /b/f > /seed
RUN --mount=type=cache,id=c,target=/one touch /one/f
RUN --mount=type=cache,id=c,target=/two ls /two > /shared
""")
    assert image.read("/stat") == "1000:1001 750\n"
    assert image.read("/seed") == "seeded\n"
    assert image.read("/shared") == "f\n"


@test("a locked cache mount is used by one step at a time")
def locked_cache(case):
    step = ("FROM busybox AS {0}\nRUN --mount=type=cache,id=l,target=/l,sharing=locked "
            "[ ! -e /l/busy ] && touch /l/busy && sleep 0.5 && rm /l/busy # {0}\n")
    case.build(step.format("one") + step.format("two")
               + "FROM scratch\nCOPY --from=one /etc/passwd /1\nCOPY --from=two /etc/passwd /2\n", {}, "--jobs", "4")


@test("tmpfs mounts are empty, limited and gone afterwards")
def tmpfs(case):
    image = case.image("""
FROM busybox
RUN --mount=type=tmpfs,target=/t,size=1m echo x > /t/f && ! dd if=/dev/zero of=/t/big bs=1M count=2 2>/dev/null
RUN [ ! -e /t/f ]
""")
    assert not image.has("/t/f")


@test("--network=none leaves the loopback interface only")
def network_none(case):
    image = case.image(
        "FROM busybox\nRUN --network=none ls /sys/class/net > /interfaces; ! wget -T 2 -q http://127.0.0.1:9/\n")
    assert image.read("/interfaces").split() == ["lo"]


@test("resolv.conf and hosts are there in a step and not in its layer")
def resolver(case):
    image = case.image("FROM busybox\nRUN [ -s /etc/resolv.conf ] && grep -q localhost /etc/hosts && echo ok > /ok\n")
    names = image.last_entries()
    assert "ok" in names and "etc/resolv.conf" not in names and "etc/hosts" not in names, sorted(names)


@test("a layer has what the step changed and nothing else")
def only_changes(case):
    image = case.image(
        "FROM busybox\nRUN echo new > /new && rm /etc/group && rm -r /home && mkdir /home && chmod 700 /root\n")
    files = {name for name, member in image.last_entries().items() if not member.isdir()}
    assert files <= {"new", "etc/.wh.group", "home/.wh..wh..opq", ".wh.home"}, files
    tree = image.tree()
    assert "etc/group" not in tree and tree["root"][0].mode == 0o700 and tree["home"][0].isdir()


@test("devices, proc and sys are mounted and masked")
def isolation(case):
    case.image("""
FROM busybox
RUN echo x > /dev/null && [ -c /dev/zero ] && [ -e /dev/fd ] && [ -r /proc/self/status ]
RUN [ ! -s /proc/kcore ] || ! head -c 1 /proc/kcore > /dev/null 2>&1
RUN mkdir /mnt; ! mount -t tmpfs none /mnt 2>/dev/null && ! echo 1 > /proc/sys/kernel/sysrq 2>/dev/null
RUN [ "$(ls /proc | grep -c '^[0-9]')" -lt 10 ]
""")


@test("output of a step arrives as it is written, with the step's number")
def output(case):
    answer = case.build("FROM busybox\nRUN echo to-stdout; echo to-stderr >&2; printf no-newline\n")
    lines = answer.text.splitlines()
    for word in ("to-stdout", "to-stderr", "no-newline"):
        assert any(line.startswith("#") and line.endswith(word) for line in lines), answer.text


@test("runc runs steps as well")
def runc(case):
    assert case.image("FROM busybox\nRUN echo runc > /r\n", {}, "--runtime", "runc").read("/r") == "runc\n"


@test("a step that fails says its exit code, its last output and its line")
def failure(case):
    case.fails("FROM busybox\nRUN true\nRUN echo some output; \\\n    exit 42\n").says(
        ":3:", "42", "some output", "RUN echo some output")


@test("a step killed by a signal says so")
def killed(case):
    case.fails("FROM busybox\nRUN sh -c 'kill -SEGV $$'; exit $?\n").says(":2:", "139")


@test("a command that is not in the image is an error with its name")
def missing_command(case):
    case.fails('FROM busybox\nRUN ["no-such-program"]\n').says("no-such-program", ":2:")
