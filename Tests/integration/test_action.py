"""The GitHub action: its entry program with the variables of a runner, and what a build leaves for a workflow."""
import json
import os
import pathlib
import re
import shutil

from harness import WHITTLE, test

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
RECORDED = json.loads((REPOSITORY / "Tests/Fixtures/workflow/push.json").read_text())
DOCKERFILE = """\
FROM busybox AS build
ARG GREETING
RUN --mount=type=secret,id=token cat /run/secrets/token > /dev/null; echo "$GREETING" > /greeting
FROM busybox AS app
COPY --from=build /greeting /greeting
ENV MESSAGE=$MISSING
"""


class Runner:
    """A runner's directories, and what an action wrote into them."""

    def __init__(self, case, program=WHITTLE):
        self.case = case
        self.directory = case.directory / "runner"
        self.workspace, self.temporary = self.directory / "work", self.directory / "temp"
        for path in (self.workspace, self.temporary, self.directory / "bin"):
            path.mkdir(parents=True, exist_ok=True)
        (self.directory / "bin" / "whittle").symlink_to(program)
        self.output, self.summary = self.directory / "output", self.directory / "summary.md"

    def start(self, inputs, status=0, **variables):
        self.output.write_text("")
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        environment = {
            **RECORDED, **kept, "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
            "GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temporary),
            "GITHUB_OUTPUT": str(self.output), "GITHUB_STEP_SUMMARY": str(self.summary),
            **{f"INPUT_{name.upper()}": value for name, value in inputs.items()}, **variables,
        }
        command = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), shutil.which("node"),
                   REPOSITORY / "action/main.js"]
        answer = self.case.run(command, status=status)
        assert not list(self.temporary.iterdir()), "the action left files"
        return answer

    @property
    def outputs(self):
        found = re.findall(r"^(\w+)<<(\S+)\n(.*?)\n\2$", self.output.read_text(), re.MULTILINE | re.DOTALL)
        return {name: value for name, _, value in found}


def inputs(case, runner, **more):
    context = runner.workspace / "app"
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text(DOCKERFILE)
    return {"context": str(context), "store": str(case.store), "tags": "app:1, app:latest",
            "build-contexts": f"busybox=oci-layout://{case.base.directory}:latest", **more}


@test("the action builds with the inputs of a workflow, and sets its outputs")
def builds(case):
    runner = Runner(case)
    given = inputs(
        case, runner, **{"build-args": "GREETING=hello, world\nOTHER=x", "labels": "a=1,2\nb=3", "target": "app",
                         "secrets": '"token=first\nsecond"\nother=x', "secret-envs": "third=THIRD", "sudo": "false"})
    answer = runner.start(given, THIRD="value of the third")
    image_id, digest = runner.outputs["imageid"], runner.outputs["digest"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", image_id) and re.fullmatch("sha256:[0-9a-f]{64}", digest)
    assert json.loads(runner.outputs["metadata"])["containerimage.config.digest"] == image_id
    shown = json.loads(case.run(case.command("inspect", "--root", case.store, "app:1")).out)[0]
    assert shown["Config"]["Labels"] == {"a": "1,2", "b": "3"}, shown["Config"]
    listed = case.run(case.command("run", "--root", case.store, "app", "cat", "/greeting")).out
    assert listed == "hello, world\n", listed
    # Values of secrets are told to the runner, to be hidden, and stand nowhere else.
    assert "::add-mask::first" in answer.text and "::add-mask::second" in answer.text
    shown = re.sub(r"::add-mask::.*", "", answer.text)
    assert "second" not in shown.replace("seconds", ""), shown


@test("a build in a workflow annotates lines and writes a summary")
def reports(case):
    runner = Runner(case)
    given = inputs(case, runner, secrets="token=long enough", file=str(runner.workspace / "app/Dockerfile"))
    answer = runner.start(given)
    answer.says("::warning file=app/Dockerfile,line=6,col=", "title=UndefinedVar")
    page = runner.summary.read_text()
    for fragment in ("### whittle: build finished in", "2 steps, 0 of them from the cache", "<code>app</code>",
                     "image docker.io/library/app:1", "#### Stages", "UndefinedVar"):
        assert fragment in page, page
    runner.start(given)
    assert "2 steps, 2 of them from the cache (100 %)" in runner.summary.read_text(), runner.summary.read_text()
    before = len(runner.summary.read_text())
    runner.start(given, DOCKER_BUILD_SUMMARY="false", DOCKER_BUILD_CHECKS_ANNOTATIONS="false").says_not("::warning")
    assert len(runner.summary.read_text()) == before


@test("a step that fails is an error at its line, and in the summary")
def failure(case):
    runner = Runner(case)
    given = inputs(case, runner)
    (runner.workspace / "app/Dockerfile").write_text("FROM busybox\nRUN echo why; exit 3\n")
    answer = runner.start(given, status=1)
    answer.says("::error file=app/Dockerfile,line=2,col=", "::error::whittle ended with exit status 1")
    assert "### whittle: build failed" in runner.summary.read_text()
    assert runner.output.read_text() == ""


@test("without a context the commit of the workflow is built, with the token of the workflow")
def repository(case):
    recorder = case.directory / "recorder"
    recorder.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\nenv | grep ^WHITTLE_ACTION_SECRET || true\n")
    recorder.chmod(0o755)
    runner = Runner(case, program=recorder)
    answer = runner.start({"github-token": "ghs_x", "context": "{{defaultContext}}:sub", "provenance": "mode=max",
                           "cache-to": "type=gha,mode=max", "platforms": "linux/amd64,linux/arm64", "push": "true"})
    words = answer.out.splitlines()
    address = "https://github.com/octocat/hello.git#0123456789abcdef0123456789abcdef01234567:sub"
    for word in (address, "--secret=id=GIT_AUTH_TOKEN,env=WHITTLE_ACTION_SECRET_0", "WHITTLE_ACTION_SECRET_0=ghs_x",
                 "--cache-to=type=gha,mode=max", "--platform=linux/amd64,linux/arm64", "--push",
                 "--provenance=mode=max,builder-id=https://github.com/octocat/hello/actions/runs/9876543210/attempts/2"):
        assert word in words, words
    words = runner.start({}, GITHUB_REF="refs/pull/7/merge").out.splitlines()
    assert "https://github.com/octocat/hello.git#refs/pull/7/merge" in words, words


@test("inputs that mean nothing are errors of the action")
def wrong(case):
    runner = Runner(case)
    for given, fragment in [({"push": "yes"}, "the input 'push' is 'yes': it takes true or false"),
                            ({"secrets": "novalue"}, "has an entry that is not ID=VALUE"),
                            ({"secrets": '"open'}, "the input 'secrets' has a quote that does not end"),
                            ({"whittle": "/nowhere/whittle"}, "which does not exist"),
                            ({"sudo": "perhaps"}, "it takes auto, true or false")]:
        runner.start(given, status=1).says("::error::", fragment)


@test("the action has all inputs and outputs of docker's, and reads every input that it has")
def manifest(case):
    text = (REPOSITORY / "action.yml").read_text()
    declared = {kind: set(re.findall(r"^  ([a-z-]+):$", text.split(f"\n{kind}:\n")[1].split("\n\n")[0], re.MULTILINE))
                for kind in ("inputs", "outputs")}
    docker = """add-hosts allow annotations attests build-args build-contexts builder cache-from cache-to call
        cgroup-parent context file labels load network no-cache no-cache-filters outputs platforms provenance pull push
        sbom secrets secret-envs secret-files shm-size ssh tags target ulimit github-token""".split()
    assert set(docker) <= declared["inputs"], set(docker) - declared["inputs"]
    assert declared["outputs"] == {"imageid", "digest", "metadata"}
    read = case.run([shutil.which("node"), "-p", f"require('{REPOSITORY}/action/lib/inputs.js').names.join(' ')"]).out
    assert set(read.split()) == declared["inputs"], set(read.split()) ^ declared["inputs"]
