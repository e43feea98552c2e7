"""Secrets: where they can be read, and that they are nowhere else."""
import os
import pathlib

from harness import test

SECRET = "s3cr3t-value-that-must-not-stay"


def assert_nowhere(case, image):
    assert not image.contains_bytes(SECRET.encode()), "in a blob"
    for parent, _, names in os.walk(case.store):
        for name in names:
            path = pathlib.Path(parent) / name
            if path.is_file() and not path.is_symlink():
                assert SECRET.encode() not in path.read_bytes(), f"in the store: {path}"


@test("a secret from a file is readable by its step and is in no layer, key, history or log")
def from_file(case):
    (case.directory / "key").write_text(SECRET)
    image = case.image("""
FROM busybox
RUN --mount=type=secret,id=api_key stat -c %a /run/secrets/api_key > /mode && wc -c < /run/secrets/api_key > /size
RUN [ ! -e /run/secrets/api_key ]
""", {}, "--secret", f"id=api_key,src={case.directory}/key")
    assert image.read("/mode") == "400\n"
    assert image.read("/size") == f"{len(SECRET)}\n"
    assert not image.has("/run/secrets/api_key")
    case.answer.says_not(SECRET)
    assert_nowhere(case, image)


@test("secrets come from standard input and from the environment")
def sources(case):
    image = case.image("""
FROM busybox
RUN --mount=type=secret,id=piped --mount=type=secret,id=variable \\
    [ "$(cat /run/secrets/piped /run/secrets/variable)" = onetwo ] && touch /same
""", {}, "--secret", "id=piped,src=-", "--secret", "id=variable,env=VARIABLE", stdin=b"one", env={"VARIABLE": "two"})
    assert image.has("/same")


@test("target=, mode=, uid= and env= of the mount")
def options(case):
    (case.directory / "key").write_text(SECRET)
    image = case.image("""
FROM busybox
RUN --mount=type=secret,id=k,target=/etc/key,mode=0440,uid=1000,gid=1001 stat -c '%a %u:%g' /etc/key > /stat
RUN --mount=type=secret,id=k,env=KEY echo ${#KEY} > /length
RUN env > /env
""", {}, "--secret", f"id=k,src={case.directory}/key")
    assert image.read("/stat") == "440 1000:1001\n"
    assert image.read("/length") == f"{len(SECRET)}\n"
    assert not image.has("/etc/key")
    assert_nowhere(case, image)


@test("a changed secret invalidates nothing")
def not_in_keys(case):
    dockerfile = "FROM busybox\nRUN --mount=type=secret,id=k cat /run/secrets/k | wc -c > /n\n"
    (case.directory / "key").write_text("a")
    case.build(dockerfile, {}, "--secret", f"id=k,src={case.directory}/key")
    (case.directory / "key").write_text("bcd")
    assert not case.build(dockerfile, {}, "--secret", f"id=k,src={case.directory}/key").ran("RUN --mount")


@test("a secret that is not given is absent, or an error where it is required")
def missing(case):
    case.build("FROM busybox\nRUN --mount=type=secret,id=k [ ! -e /run/secrets/k ]\n")
    case.fails("FROM busybox\nRUN --mount=type=secret,id=keey,required cat /run/secrets/keey\n", {},
               "--secret", "id=key,env=HOME").says(":2:", "'keey'", "'key'")


@test("a secret whose file is missing is an error before anything runs")
def missing_file(case):
    case.fails("FROM busybox\nRUN echo started\n", {}, "--secret", "id=k,src=/no/such/file").says(
        "/no/such/file").says_not("#1 ")
