"""What a result depends on: each change here has to run the steps that see it, and only those."""
import os
import shutil
import subprocess

from harness import test


def ran_after(case, dockerfile, context, change, command, *options):
    """Builds, changes something, builds again: whether the step with `command` ran in the second build."""
    case.build(dockerfile, {}, *options, context=context)
    change()
    return case.build(dockerfile, {}, *options, context=context).ran(command)


COPY_ALL = "FROM busybox\nCOPY . /c\nRUN echo looked\n"


def rewrite_link(path, target):
    path.unlink()
    path.symlink_to(target)


@test("every kind of change in a copied directory is seen")
def kinds_of_change(case):
    context = case.context({"d/f": "same", "d/g": "same", "e/x": "x"})
    (context / "d/link").symlink_to("f")
    changes = {
        "a link's target": lambda: rewrite_link(context / "d/link", "g"),
        "an empty directory more": lambda: (context / "d/empty").mkdir(),
        "a directory's mode": lambda: (context / "d/empty").chmod(0o700),
        "an attribute": lambda: os.setxattr(context / "d/f", "user.note", b"1"),
        "another value of it": lambda: os.setxattr(context / "d/f", "user.note", b"2"),
        "a capability": lambda: subprocess.run(["setcap", "cap_net_raw+ep", context / "d/g"], check=True),
        "a file became a link": lambda: rewrite_link(context / "d/g", "f"),
        "a link became a file": lambda: ((context / "d/link").unlink(), (context / "d/link").write_text("same")),
        "a file became a directory": lambda: ((context / "e/x").unlink(), (context / "e/x").mkdir()),
        "a directory moved": lambda: (context / "e").rename(context / "e2"),
        "a set-user-ID bit": lambda: (context / "d/f").chmod(0o4755),
        "a fifo": lambda: os.mkfifo(context / "fifo"),
    }
    for what, change in changes.items():
        assert ran_after(case, COPY_ALL, context, change, "RUN echo looked"), f"stale after: {what}"


@test("what a copied link leads to is seen")
def link_target_content(case):
    context = case.context({"real/f": "1", "file": "1"})
    (context / "to-dir").symlink_to("real")
    (context / "to-file").symlink_to("file")
    dockerfile = "FROM busybox\nCOPY to-dir /d\nCOPY to-file /f\nRUN echo looked\n"
    assert ran_after(case, dockerfile, context, lambda: (context / "real/f").write_text("2"), "RUN echo looked")
    assert ran_after(case, dockerfile, context, lambda: (context / "file").write_text("2"), "RUN echo looked")


@test("a new match of a pattern is seen, other files are not")
def pattern_matches(case):
    context = case.context({"a.c": "a", "n.txt": "n", "d/x.c": "x"})
    dockerfile = "FROM busybox\nCOPY *.c /c/\nCOPY --parents **/*.h /h/\nCOPY --exclude=*.md d /d\nRUN echo looked\n"
    assert not ran_after(case, dockerfile, context, lambda: (context / "n.txt").write_text("m"), "RUN echo looked")
    assert not ran_after(case, dockerfile, context, lambda: (context / "d/x.md").write_text("m"), "RUN echo looked")
    assert ran_after(case, dockerfile, context, lambda: (context / "b.c").write_text("b"), "RUN echo looked")
    assert ran_after(case, dockerfile, context, lambda: (context / "d/y.h").write_text("b"), "RUN echo looked")
    assert ran_after(case, dockerfile, context, lambda: (context / "a.c").unlink(), "RUN echo looked")


@test("owner and mode of a stage's files count for what copies them")
def stage_metadata(case):
    def seen(command):
        image = case.image(f"FROM busybox AS s\nRUN mkdir /o && echo x > /o/f && {command}\n"
                           "FROM busybox\nCOPY --from=s /o /o\nRUN stat -c '%u:%g %a %h' /o/f > /seen\n")
        return image.read("/seen").strip()
    assert seen("true") == "0:0 644 1"
    assert seen("chown 5 /o/f") == "5:0 644 1"
    assert seen("chown 5:6 /o/f") == "5:6 644 1"
    assert seen("chmod 600 /o/f") == "0:0 600 1"
    assert seen("ln /o/f /o/g") == "0:0 644 2"


@test("a bind mount counts with the files that it shows")
def bound_files(case):
    context = case.context({"d/f": "1", "other": "1"})
    dockerfile = "FROM busybox\nRUN --mount=type=bind,source=d,target=/m cat /m/f > /seen\n"
    case.build(dockerfile, context=context)
    (context / "other").write_text("2")
    assert not case.build(dockerfile, context=context).ran("cat /m/f")
    (context / "d/f").write_text("2")
    assert case.image(dockerfile, context=context).read("/seen") == "2"
    (context / "d/f").chmod(0o600)
    assert case.build(dockerfile, context=context).ran("cat /m/f")


@test("options of a step count: network, user, directory, shell, environment, documents")
def step_options(case):
    variants = [
        "RUN id", "USER 5\nRUN id", "USER 5:6\nRUN id", "WORKDIR /w\nRUN id", "ENV A=1\nRUN id", "ENV A=2\nRUN id",
        'SHELL ["/bin/sh", "-ec"]\nRUN id', "RUN --network=none id", 'RUN ["id"]', "RUN --mount=type=tmpfs,target=/t id",
        "RUN --mount=type=cache,target=/t id", "RUN --mount=type=cache,target=/t,id=x id", "ARG B=1\nRUN id", "ARG B=2\nRUN id",
        "RUN <<E\nid\nE", "RUN <<E\nid \nE", "RUN <<'E'\nid\n\nE", "RUN --mount=type=secret,id=s id",
        "RUN --mount=type=secret,id=s,target=/s id", "RUN --mount=type=secret,id=s,env=S id",
    ]
    for variant in variants:
        assert case.build(f"FROM busybox\n{variant}\n").ran("RUN"), f"stale: {variant}"
    for variant in variants:
        again = case.build(f"FROM busybox\n{variant}\n")
        assert not again.ran("RUN"), f"ran again: {variant}\n{again.text}"


@test("inline documents count, with their names, modes and owners")
def inline_documents(case):
    def seen(copy):
        return case.image(f"FROM busybox\n{copy}\nRUN stat -c '%n %u %a' /d/* > /seen; cat /d/* >> /seen\n").read("/seen")
    assert seen("COPY <<a /d/\n1\na") == "/d/a 0 644\n1\n"
    assert seen("COPY <<a /d/\n2\na") == "/d/a 0 644\n2\n"
    assert seen("COPY <<b /d/\n2\nb") == "/d/b 0 644\n2\n"
    assert seen("COPY --chmod=600 <<b /d/\n2\nb") == "/d/b 0 600\n2\n"
    assert seen("COPY --chown=7 <<b /d/\n2\nb") == "/d/b 7 644\n2\n"
    assert seen("ARG X=1\nCOPY <<b /d/\n$X\nb") == "/d/b 0 644\n1\n"
    assert seen("ARG X=2\nCOPY <<b /d/\n$X\nb") == "/d/b 0 644\n2\n"


@test("a stage that was told to run again is seen by the stages on it")
def filtered_stage(case):
    dockerfile = "FROM busybox AS s\nRUN cat /proc/sys/kernel/random/uuid > /t\nFROM s AS m\nRUN cp /t /u\nFROM m\nRUN cp /u /v\n"
    case.build(dockerfile)
    image = case.image(dockerfile, {}, "--no-cache-filter", "s")
    assert image.read("/t") == image.read("/u") == image.read("/v")
    later = case.image(dockerfile)
    assert later.read("/t") == image.read("/t") == later.read("/v")
    unrelated = case.image(dockerfile, {}, "--no-cache")
    assert unrelated.read("/t") == unrelated.read("/v") != image.read("/t")
    assert case.image(dockerfile).read("/v") == unrelated.read("/v")


@test("--chown by name follows the image's passwd")
def chown_by_name(case):
    for number in (1001, 1002):
        image = case.image(f"FROM busybox\nRUN echo app:x:{number}:{number}::/:/bin/sh >> /etc/passwd && "
                           f"echo app:x:{number}: >> /etc/group\nCOPY --chown=app:app f /f\n", {"f": "f"})
        assert (image.member("/f").uid, image.member("/f").gid) == (number, number), number


@test("arguments: predefined ones change nothing, declared ones do")
def arguments(case):
    dockerfile = "FROM busybox\nRUN echo looked\n"
    case.build(dockerfile, {}, "--build-arg", "HTTP_PROXY=http://one.invalid")
    again = case.build(dockerfile, {}, "--build-arg", "HTTP_PROXY=http://two.invalid", "--build-arg", "no_proxy=x")
    assert not again.ran("RUN echo looked")
    declared = "ARG G=1\nFROM busybox\nARG G\nARG H=$G-h\nRUN echo got $H\n"
    assert "got 1-h" in case.build(declared).text
    assert "got 2-h" in case.build(declared, {}, "--build-arg", "G=2").text
    assert "got z" in case.build(declared, {}, "--build-arg", "H=z").text


@test("a named context's directory and a moved tag are read anew")
def named_contexts(case):
    extra = case.context({"f": "1"})
    dockerfile = "FROM busybox\nCOPY --from=extra f /f\nRUN cat /f > /g\n"
    assert case.image(dockerfile, {}, "--build-context", f"extra={extra}").read("/g") == "1"
    (extra / "f").write_text("2")
    assert case.image(dockerfile, {}, "--build-context", f"extra={extra}").read("/g") == "2"
    for number in (1, 2):
        case.build(f"FROM busybox\nRUN echo {number} > /n\n", {}, "-t", "moving:tag")
        image = case.image("FROM moving:tag\nRUN cp /n /m\n")
        assert image.read("/m") == f"{number}\n"


@test("files that were swapped, or replaced with an old time, are seen")
def swapped_files(case):
    context = case.context({"a": "1", "b": "2"})
    dockerfile = "FROM busybox\nCOPY a /a\nRUN cat /a > /seen\n"
    for path in ("a", "b"):
        os.utime(context / path, ns=(10**18, 10**18))
    assert case.image(dockerfile, context=context).read("/seen") == "1"
    (context / "a").rename(context / "t")
    (context / "b").rename(context / "a")
    (context / "t").rename(context / "b")
    assert case.image(dockerfile, context=context).read("/seen") == "2"
    shutil.copy2(context / "b", context / "a")
    assert case.image(dockerfile, context=context).read("/seen") == "1"


@test("base images that differ in configuration alone")
def base_configuration(case):
    for value in ("1", "2"):
        case.build(f"FROM busybox\nENV V={value}\nUSER {value}\n", {}, "-t", "configured")
        image = case.image("FROM configured\nRUN echo $V $(id -u) > /tmp/seen\n")
        assert image.read("/tmp/seen") == f"{value} {value}\n"
