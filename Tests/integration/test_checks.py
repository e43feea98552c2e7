"""--check and --call: what is said of a Dockerfile without building it."""
import base64
import json
import os

from harness import test


def call(case, dockerfile, method, *options, files=None, status=0, env=None):
    """Asks with a store that does not exist, and sees that none is made."""
    context = case.context({"Dockerfile": dockerfile, **(files or {})})
    answer = case.run(case.command("build", "--root", case.store, f"--call={method}", *options, context), status, env=env)
    assert not case.store.exists(), "a store was made"
    return answer


@test("--check shows each finding with its rule, page and lines, and fails; a clean file passes")
def check(case):
    text = "# check=skip=StageNameCasing\nFROM alpine as App\nCOPY $foo secret.txt /\nCMD run\n"
    context = case.context({"Dockerfile": text, ".dockerignore": "secret.txt\n"})
    answer = case.run(case.command("build", "--root", case.store, "--check", context), 1)
    answer.says("4 warnings found", "WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/",
                "Dockerfile:2", ">>> FROM alpine as App", "UndefinedVar", "'$foo'", "CopyIgnoredFile", "'secret.txt'",
                "JSONArgsRecommended").says_not("WARNING: StageNameCasing")
    assert not case.store.exists()
    clean = case.run(case.command("build", "--check", case.context({"Dockerfile": "FROM scratch\nCOPY a /\n"})))
    assert clean.out == "Check complete, no warnings found.\n", clean.out


@test("--call=check,format=json is BuildKit's document, also for what cannot be built")
def document(case):
    text = "FROM scratch as b\nCOPY \\\n  a /\nMAINTAINER me\n"
    answer = json.loads(call(case, text, "check,format=json", status=1).out)
    assert [w["ruleName"] for w in answer["warnings"]] == ["FromAsCasing", "MaintainerDeprecated"], answer
    first = answer["warnings"][0]
    assert set(first) == {"ruleName", "description", "url", "detail", "location"}, first
    assert answer["warnings"][1]["location"] == {"ranges": [{"start": {"line": 4}, "end": {"line": 4}}]}
    assert answer["sources"][0]["language"] == "Dockerfile"
    assert base64.b64decode(answer["sources"][0]["data"]).decode() == text
    broken = json.loads(call(case, "FROM scratch AS B\nCOPY --from=nowhere:: a /\n", "lint,format=json", status=1).out)
    assert broken["warnings"][0]["ruleName"] == "StageNameCasing"
    assert broken["buildError"]["location"]["ranges"][0]["start"]["line"] == 2, broken
    call(case, "FROM scratch\nCOPY a\n", "check", status=1).says("Dockerfile:2:6: error[wrong-argument-count]")
    call(case, "FROM scratch as b\n", "check,ignorestatus").says("FromAsCasing")


@test("directives and BUILDKIT_DOCKERFILE_CHECK choose the rules, and error=true fails the build")
def options(case):
    text = "FROM busybox as b\nRUN true\n"
    call(case, text, "check", "--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skip=all")
    strict = ["--build-arg", "BUILDKIT_DOCKERFILE_CHECK=error=true", "-o", "type=cacheonly"]
    case.fails(text, {}, *strict).says("error[checks-failed]", "FromAsCasing").says_not("RUN true")
    case.fails("# check=skip\n" + text, {}, "-o", "type=cacheonly").says(":1:1: error[invalid-check-options]")
    case.build("# check=skip=FromAsCasing;error=true\n" + text, {}, "-o", "type=cacheonly").says_not("WARN")


@test("a build shows what the checks find in the stages it builds, once more at its end")
def warnings(case):
    text = "FROM busybox AS other\nCMD run\nFROM busybox as app\nRUN true\n"
    answer = case.build(text, {}, "-o", "type=cacheonly")
    answer.says("WARN: FromAsCasing: 'as' and 'FROM' are not in the same casing", " 1 warning found", "\n - FromAsCasing: ")
    answer.says_not("JSONArgsRecommended")
    lines = case.build(text, {}, "-o", "type=cacheonly", "--progress=rawjson").err.splitlines()
    found = [w for line in lines for w in json.loads(line).get("warnings", [])]
    assert found[0]["url"].endswith("/from-as-casing/") and found[0]["range"][0]["start"]["line"] == 3, found


@test("the variables and the platform of an image in the store are known to a check")
def known_image(case):
    case.build("FROM busybox\nENV GREETING=hello\n", {}, "-t", "greeter")
    context = case.context({"Dockerfile": "FROM greeter\nLABEL a=$GREETING b=$GREETNG\n"})
    answer = case.run(case.command("build", "--root", case.store, "--check", context), 1)
    answer.says("1 warning found", "'$GREETNG' is not defined (did you mean '$GREETING'?)").says_not("was not looked at")


@test("--call=outline lists arguments with values, secrets and ssh sockets of a target")
def outline(case):
    text = ("# BASE is what it stands on\nARG BASE=busybox\nFROM $BASE AS build\nARG LEVEL=1\n"
            "RUN --mount=type=secret,id=key,required=true --mount=type=ssh true\nFROM scratch\nARG UNUSED\n")
    answer = json.loads(call(case, text, "outline,format=json", "--target", "build", "--build-arg", "LEVEL=3").out)
    assert answer["name"] == "build"
    assert [(a["name"], a["value"]) for a in answer["args"]] == [("BASE", "busybox"), ("LEVEL", "3")], answer
    assert answer["args"][0]["description"] == "is what it stands on"
    assert answer["secrets"][0]["name"] == "key" and answer["secrets"][0]["required"] is True
    assert answer["ssh"][0]["name"] == "default" and "required" not in answer["ssh"][0]
    call(case, text, "outline").says("BUILD ARG", "UNUSED").says_not("SECRET")
    call(case, text, "outline", "--target", "biuld", status=1).says("error[unknown-target]", "did you mean 'build'?")


@test("--call=targets lists the stages, the default one marked")
def targets(case):
    text = "# a the first\nFROM --platform=$BUILDPLATFORM busybox AS a\nFROM a AS b\n"
    answer = json.loads(call(case, text, "targets,format=json").out)
    assert answer["targets"][0]["description"] == "the first" and answer["targets"][0]["platform"] == "$BUILDPLATFORM"
    assert answer["targets"][1]["default"] is True and answer["targets"][1]["base"] == "a"
    call(case, text, "targets").says("b (default)")


@test("a method that is none is refused, with those that are")
def unknown(case):
    call(case, "FROM scratch\n", "chek", status=1).says("error[invalid-argument]", "did you mean 'check'?", "outline, targets")
    call(case, "FROM scratch\n", "check,format=yaml", status=1).says("there is no format 'yaml'")


@test("an ordinary user may check without a store and without namespaces")
def ordinary_user(case):
    context = case.context({"Dockerfile": "FROM scratch\n"})
    case.directory.chmod(0o755)
    command = case.command("build", "--check", context)
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    case.run(command).says("no warnings found")
