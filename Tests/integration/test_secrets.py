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


LEAKING = """
FROM busybox
RUN --mount=type=secret,id=token %s
"""

FORMS = {
    "plain": "cp /run/secrets/token /leak",
    "plain, in a larger file": "(head -c 300000 /dev/zero; cat /run/secrets/token; head -c 9000 /dev/zero) > /leak",
    "base64": "base64 /run/secrets/token > /leak",
    "base64 behind something else": "(printf user:; cat /run/secrets/token) | base64 -w 20 > /leak",
    "hexadecimal": "od -An -v -tx1 /run/secrets/token | tr -d ' ' > /leak",
    "in a packed file": "gzip -c /run/secrets/token > /leak",
    "a name": "mkdir /leak && touch \"/leak/$(cat /run/secrets/token)\"",
    "a link": "ln -s \"$(cat /run/secrets/token)\" /leak",
}


@test("a step that writes its secret fails, with the file and never the secret, and leaves no record")
def leak(case):
    (case.directory / "key").write_text(SECRET + "\n")
    secret = ["--secret", f"id=token,src={case.directory}/key"]
    for name, command in FORMS.items():
        answer = case.fails(LEAKING % command, {}, *secret)
        answer.says("error[secret-leak]", "secret 'token'", "/leak", ":3:1").says_not(SECRET)
        # Nothing of it was kept: it runs, and fails, again.
        assert case.fails(LEAKING % command, {}, *secret).ran("RUN --mount"), name
    case.assert_nothing_left("never-a-process")
    for parent, _, names in os.walk(case.store / "snapshots"):
        for name in names:
            path = pathlib.Path(parent) / name
            if path.is_file() and not path.is_symlink():
                assert SECRET.encode() not in path.read_bytes(), path


@test("a secret as a variable, in a file that was there before, or by its token alone is found too")
def leak_of_parts(case):
    token = "npm_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFC"
    case.fails("FROM busybox\nRUN --mount=type=secret,id=token,env=TOKEN echo \"$TOKEN\" >> /etc/passwd\n", {},
               "--secret", "id=token,env=VALUE", env={"VALUE": SECRET}).says("'/etc/passwd' (plain)").says_not(SECRET)
    (case.directory / "npmrc").write_text(f"//registry/:_authToken={token}\n")
    case.fails("FROM busybox\nRUN --mount=type=secret,id=npmrc cut -d= -f2 /run/secrets/npmrc > /token\n", {},
               "--secret", f"id=npmrc,src={case.directory}/npmrc").says("'/token' (plain)").says_not(token)


@test("a leak that was removed in the same step, or is in a cache mount, is none")
def no_leak(case):
    (case.directory / "key").write_text(SECRET)
    image = case.image(LEAKING % """--mount=type=cache,target=/cache \\
        cp /run/secrets/token /leak && cp /leak /cache/ && rm /leak && touch /done""", {},
                       "--secret", f"id=token,src={case.directory}/key")
    assert image.has("/done") and not image.contains_bytes(SECRET.encode())


@test("--allow-secret-leak only warns, and what it built is no result for a build without it")
def allowed_leak(case):
    (case.directory / "key").write_text(SECRET)
    options = ["--secret", f"id=token,src={case.directory}/key"]
    dockerfile = (LEAKING % "cp /run/secrets/token /leak") + "RUN touch /later\n"
    image = case.image(dockerfile, {}, *options, "--allow-secret-leak")
    case.answer.says("WARN", "secret 'token' is in the file '/leak'").says_not(SECRET)
    assert image.read("/leak") == SECRET
    assert case.build(dockerfile, {}, *options, "--allow-secret-leak").cached_steps() >= 2
    case.fails(dockerfile, {}, *options).says("error[secret-leak]")


@test("a secret that is a build argument or a variable of the image as well is an error before anything runs")
def leak_into_configuration(case):
    options = ["--secret", "id=token,env=VALUE"]
    for lines in ("ARG TOKEN\nRUN echo started\n", f"ENV TOKEN={SECRET}\nRUN echo started\n",
                  f"LABEL token=x-{SECRET}\nRUN echo started\n"):
        answer = case.fails("FROM busybox\n" + lines, {}, *options, "--build-arg", f"TOKEN={SECRET}",
                            env={"VALUE": SECRET})
        answer.says("error[secret-leak]", "configuration", "***")
        assert not answer.ran("RUN echo started"), answer.text


@test("what a step prints of its secret is shown as ***, and a short secret is named in a warning")
def redacted_output(case):
    (case.directory / "key").write_text(SECRET + "\n")
    half = len(SECRET) // 2
    answer = case.build(LEAKING % f"""sh -c 'cat $0; head -c {half} $0; sleep 0.2; tail -c +{half + 1} $0; \\
        base64 $0; cat $0 >&2; echo end of it' /run/secrets/token""", {},
                        "--secret", f"id=token,src={case.directory}/key", "--secret", "id=pin,env=PIN",
                        env={"PIN": "1234"})
    answer.says("***", "end of it", "secret 'pin' has fewer than 6 bytes").says_not(SECRET, SECRET[half:])
    assert answer.text.count("***") == 4, answer.text
    case.fails("FROM busybox\nRUN --mount=type=secret,id=token cat /run/secrets/token; exit 3\n", {},
               "--secret", f"id=token,src={case.directory}/key").says("***").says_not(SECRET)
