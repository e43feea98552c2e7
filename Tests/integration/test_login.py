"""whittle login and logout, and what other tools make of the files that they write."""
import json
import signal
import stat
import termios

from dockerregistry import DockerRegistry, TokenServer, skopeo
from harness import read_json, test
from terminal import Terminal

PASSWORD = "s:cret-päss"


def home(case):
    """An environment without anybody's logins."""
    directory = case.directory / "home"
    directory.mkdir(exist_ok=True)
    return {"HOME": str(directory), "XDG_RUNTIME_DIR": str(case.directory / "run"), "REGISTRY_AUTH_FILE": "",
            "DOCKER_CONFIG": "", "XDG_CONFIG_HOME": "", "CONTAINERS_REGISTRIES_CONF": ""}


def login(case, host, *options, user="ann", password=PASSWORD, env=None, status=0):
    answer = case.run(case.command("login", "-u", user, "--password-stdin", *options, host), stdin=password.encode(),
                      env=env or home(case), status=status)
    assert password not in answer.text
    return answer


def pull(case, name, env, status=0):
    return case.run(case.build_command(case.context(), "--no-cache", "-o", "type=cacheonly", dockerfile=f"FROM {name}\n"),
                    env=env, status=status)


def push_base(case, name, env):
    skopeo(case, "copy", "-q", "--dest-tls-verify=false", f"oci:{case.base.directory}:latest", f"docker://{name}", env=env)


@test("a login is checked by the registry and kept as docker keeps it; what else the file has stays")
def keeps_like_docker(case):
    env = home(case)
    file = case.directory / "home/.docker/config.json"
    with DockerRegistry(case.directory / "registry", users={"ann": PASSWORD}) as registry:
        login(case, registry.host, password="wrong", env=env, status=1).says(
            "error[registry-unauthorized]: cannot log in to", "refuses the credentials of 'ann'")
        assert not file.exists()
        file.parent.mkdir(parents=True)
        foreign = {"psFormat": "table {{.ID}}", "auths": {"other.example": {"auth": "YTpi", "email": "a@b"}},
                   "plugins": {"x": {"n": 1.5}}, "HttpHeaders": {"ä": "/"}}
        file.write_text(json.dumps(foreign).replace("1.5", "1.50"))
        file.chmod(0o644)
        login(case, f"http://{registry.host}/v2/", env=env).says("Login Succeeded", "not encrypted", str(file))
        document = read_json(file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and "1.50" in file.read_text()
        assert list(document["auths"]) == ["other.example", registry.host], document
        del document["auths"][registry.host]
        assert document == foreign
        assert not list(file.parent.glob("*.tmp")) and len(list(file.parent.iterdir())) == 1
        # Others read it, and whittle pulls with it.
        push_base(case, f"{registry.host}/team/app:1", env)
        pull(case, f"{registry.host}/team/app:1", env)
        case.run(["skopeo", "inspect", "--tls-verify=false", f"docker://{registry.host}/team/app:1"], env=env)
        case.run(case.command("login", "--get-login", registry.host), env=env).says("ann")
        assert case.run(["buildah", "login", "--get-login", "--authfile", file, registry.host], env=env).out == "ann\n"
        # A second login without anything uses the first.
        case.run(case.command("login", registry.host), stdin=b"", env=env).says("Login Succeeded", "of an earlier login")
        case.run(case.command("logout", registry.host), env=env).says(f"Removing login credentials for {registry.host}")
        assert read_json(file) == foreign
        case.run(case.command("logout", registry.host), env=env).says(f"Not logged in to {registry.host}")
        case.run(case.command("login", "--get-login", registry.host), env=env, status=1).says("error[not-logged-in]")
        pull(case, f"{registry.host}/team/app:1", env, status=1).says("error[registry-unauthorized]", "whittle login")


@test("with $REGISTRY_AUTH_FILE or --authfile a login is where skopeo and buildah have it, and theirs are read")
def keeps_like_skopeo(case):
    env = home(case)
    file = case.directory / "auth.json"
    with DockerRegistry(case.directory / "registry", users={"ann": PASSWORD, "bob": "b"}) as registry:
        named = {**env, "REGISTRY_AUTH_FILE": str(file)}
        login(case, registry.host, env=named)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert case.run(["skopeo", "login", "--get-login", registry.host], env=named).out == "ann\n"
        push_base(case, f"{registry.host}/app:1", named)
        case.run(["skopeo", "logout", registry.host], env=named)
        pull(case, f"{registry.host}/app:1", named, status=1)
        case.run(["skopeo", "login", "--tls-verify=false", "-u", "bob", "-p", "b", registry.host], env=named)
        pull(case, f"{registry.host}/app:1", named)
        case.run(case.command("login", "--get-login", registry.host), env=named).says("bob")
        # A namespace has credentials of its own.
        second = case.directory / "second/auth.json"
        login(case, f"{registry.host}/team", "--authfile", second, env=env)
        login(case, registry.host, "--authfile", second, user="bob", password="b", env=env)
        assert list(read_json(second)["auths"]) == [f"{registry.host}/team", registry.host]
        for path, user in [("team/app", "ann"), ("teams/app", "bob"), ("team", "ann")]:
            case.run(case.command("login", "--get-login", "--authfile", second, f"{registry.host}/{path}")).says(user)
        login(case, f"{registry.host}/team", env=env, status=1).says("error[invalid-registry-name]", "--authfile")
        case.run(case.command("logout", "--authfile", second, "--all")).says(f"{registry.host}/team\n", f"{registry.host}\n")
        assert read_json(second) == {"auths": {}}
        case.run(case.command("logout", "--authfile", file, registry.host))
        assert read_json(file) == {"auths": {}}


HELPER = """#!/usr/bin/env python3
import json, os, sys
path = os.environ["KEPT"]
kept = json.load(open(path)) if os.path.exists(path) else {}
text = sys.stdin.read()
if sys.argv[1] == "store":
    entry = json.loads(text)
    kept[entry["ServerURL"]] = entry
elif text.strip() not in kept:
    print("credentials not found in native keychain")
    sys.exit(1)
elif sys.argv[1] == "erase":
    del kept[text.strip()]
elif sys.argv[1] == "get":
    print(json.dumps(kept[text.strip()]))
json.dump(kept, open(path, "w"))
"""


@test("a credential helper keeps the password in the place of the file")
def helper(case):
    programs = case.directory / "bin"
    programs.mkdir()
    (programs / "docker-credential-box").write_text(HELPER)
    (programs / "docker-credential-box").chmod(0o755)
    kept = case.directory / "kept.json"
    env = {**home(case), "PATH": f"{programs}:/usr/bin:/bin", "KEPT": str(kept)}
    file = case.directory / "home/.docker/config.json"
    file.parent.mkdir(parents=True)
    with DockerRegistry(case.directory / "registry", users={"ann": PASSWORD}) as registry:
        for document in ({"credsStore": "box"}, {"credHelpers": {registry.host: "box"}}):
            file.write_text(json.dumps(document))
            login(case, registry.host, env=env).says("Login Succeeded").says_not("not encrypted")
            assert read_json(kept)[registry.host]["Secret"] == PASSWORD
            assert read_json(file) == {**document, "auths": {registry.host: {}}}
            if "credHelpers" in document:  # skopeo does not know the other
                push_base(case, f"{registry.host}/app:1", env)
            case.run(case.command("login", registry.host), env=env).says("of an earlier login")
            case.run(case.command("logout", registry.host), env=env).says("Removing")
            assert read_json(kept) == {} and read_json(file) == {**document, "auths": {}}
        # registries.conf may name helpers for all registries.
        settings = case.directory / "registries.conf"
        settings.write_text('credential-helpers = ["containers-auth.json", "box"]\n')
        kept.write_text(json.dumps({registry.host: {"Username": "ann", "Secret": PASSWORD}}))
        file.write_text("{}")
        both = {**env, "CONTAINERS_REGISTRIES_CONF": str(settings)}
        case.run(case.command("login", "--get-login", registry.host), env=both).says("ann")
        pull(case, f"{registry.host}/app:1", both)
        file.write_text('{"credsStore":"none"}')
        login(case, registry.host, env=env, status=1).says("error[credential-helper-failed]", "it is not installed")


@test("a token server's identity token is kept in the place of the password, and exchanged for tokens")
def identity_token(case):
    env = home(case)
    file = case.directory / "home/.docker/config.json"
    with TokenServer(case.directory / "tokens", {"ann": PASSWORD}, gives_identity_tokens=True) as tokens, \
            DockerRegistry(case.directory / "registry", tokens=tokens) as registry:
        login(case, registry.host, password="wrong", env=env, status=1).says(
            "cannot log in to", "incorrect username or password")
        login(case, registry.host, env=env)
        assert tokens.requests[-1][2] == {"service": ["test registry"], "account": ["ann"], "client_id": ["whittle"],
                                          "offline_token": ["true"]}, tokens.requests
        entry = read_json(file)["auths"][registry.host]
        assert entry["identitytoken"] == "identity-0-of-ann" and entry["auth"] == "YW5uOg==", entry
        # skopeo exchanges it likewise to push.
        push_base(case, f"{registry.host}/team/app:1", env)
        tokens.requests.clear()
        pull(case, f"{registry.host}/team/app:1", env)
        assert [(method, user) for method, user, _ in tokens.requests] == [("POST", "ann")], tokens.requests
        assert tokens.requests[0][2]["scope"] == ["repository:team/app:pull"]
        tokens.gives_identity_tokens = False
        login(case, registry.host, env=env)
        assert set(read_json(file)["auths"][registry.host]) == {"auth"}
        pull(case, f"{registry.host}/team/app:1", env)
        tokens.users["ann"] = "changed"
        pull(case, f"{registry.host}/team/app:1", env, status=1).says("wrong or expired", "whittle login").says_not(PASSWORD)


@test("at a terminal name and password are asked for, and the password is not shown")
def terminal(case):
    env = home(case)
    with DockerRegistry(case.directory / "registry", users={"ann": PASSWORD}) as registry:
        person = Terminal(case, case.command("login", registry.host), env=env)
        person.wait_for("Username: ")
        person.type("ann\r")
        person.wait_for("Password: ")
        person.type(PASSWORD + "\r")
        person.wait_for("Login Succeeded")
        assert person.end() == 0 and PASSWORD not in person.text, person.text
        # Interrupted, the terminal shows again what is typed.
        second = Terminal(case, case.command("login", "-u", "bob", registry.host), env=env)
        second.wait_for("Password: ")
        assert not termios.tcgetattr(second.person)[3] & termios.ECHO
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(20) == 130, second.text
        assert termios.tcgetattr(second.person)[3] & termios.ECHO
        second.end()
        case.run(case.command("login", "other.example"), stdin=b"", env=env, status=1).says(
            "error[missing-credentials]", "is no terminal")


@test("wrong registries and files are errors that say so")
def mistakes(case):
    env = home(case)
    for name in ("", "a b", "https://", "UPPER/CASE", "host:port/x", "a//b", "x" * 300 + "/" + "y" * 300):
        login(case, name, env=env, status=1).says("error[invalid-registry-name]")
    login(case, "127.0.0.1:9", env=env, status=1).says("error[registry-unreachable]")
    case.run(case.command("login", "--password-stdin", "x"), stdin=b"", env=env, status=64).says("--username")
    file = case.directory / "auth.json"
    for text in ("[]", "{", '{"auths":[]}', '{"auths":{"a":{"auth":"!"}}}', "\xff"):
        file.write_bytes(text.encode("latin-1"))
        login(case, "127.0.0.1:9", "--authfile", file, env=env, status=1).says("error[malformed-credentials]", str(file))
        assert file.read_bytes() == text.encode("latin-1")
    case.run(case.command("logout"), env=env).says("Not logged in to docker.io")
    assert not (case.directory / "home/.docker").exists()
