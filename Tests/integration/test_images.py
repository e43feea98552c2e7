"""Images of the store: listed, described, named, removed, saved and loaded."""
import json

from harness import test

DOCKERFILE = 'FROM busybox\nLABEL stage=test v=1\nENV A=1\nCOPY f /f\nCMD ["cat", "/f"]\n'
FILES = {"f": "content\n"}


def whittle(case, command, *arguments, **more):
    return case.run(case.command(*command.split(), "--root", case.store, *arguments), **more)


@test("images are listed by templates, as tables and as JSON, and filtered")
def listed(case):
    case.build(DOCKERFILE, FILES, "-t", "app:1", "-t", "example.org/team/app:2")
    case.build("FROM scratch\nCOPY f /f\n", FILES, "-t", "other")
    lines = whittle(case, "images", "--format", r"{{.Repository}}\t{{upper .Tag}}\t{{.Size}}").out.splitlines()
    assert {line.split("\t")[0] for line in lines} == {"app", "example.org/team/app", "other"}, lines
    table = whittle(case, "images", "--format", r"table {{.Repository}}\t{{.ID}}\t{{.CreatedSince}}").out.splitlines()
    assert table[0].split() == ["REPOSITORY", "IMAGE", "ID", "CREATED"] and len(table) == 4, table
    assert len({line.index(line.split()[1]) for line in table}) == 1, table
    rows = [json.loads(line) for line in whittle(case, "images", "--format", "json").out.splitlines()]
    assert {row["Repository"] for row in rows} == {"app", "example.org/team/app", "other"}
    ids = whittle(case, "images", "-q", "--filter", "label=stage=test").out.split()
    assert len(ids) == 1, ids
    assert whittle(case, "images", "--filter", "label=stage=none", "--format", "{{.ID}}").out == ""
    assert whittle(case, "images", "--filter", "reference=example.org/*/app", "--format", "{{.Tag}}").out == "2\n"
    since = whittle(case, "images", "--filter", "since=other", "--format", "{{.Repository}}").out
    before = whittle(case, "images", "--filter", "before=other", "--format", "{{.Repository}}").out
    assert "other" not in since + before
    whittle(case, "images", "--format", "{{.Repo}}", status=1).says("column 3", "'.Repo'", "'.Repository'")
    whittle(case, "images", "--filter", "lable=x", status=1).says("did you mean 'label'")


@test("history takes templates, and inspect has docker's JSON and templates")
def described(case):
    case.build(DOCKERFILE, FILES, "-t", "app:1")
    steps = whittle(case, "history", "app:1", "--no-trunc", "--format", "{{.Size}} {{.CreatedBy}}").out.splitlines()
    assert steps[0] == '0B CMD ["cat" "/f"]' or steps[0].startswith("0B CMD"), steps
    assert any(line.endswith("COPY f /f # buildkit") for line in steps), steps
    document = json.loads(whittle(case, "inspect", "app:1").out)[0]
    assert document["RepoTags"] == ["app:1"] and document["Config"]["Labels"] == {"stage": "test", "v": "1"}, document
    assert document["Os"] == "linux" and len(document["RootFS"]["Layers"]) == 2, document
    assert whittle(case, "inspect", "-f", "{{.Config.Cmd}} {{.Id}}", "app:1").out == f"[cat /f] {document['Id']}\n"
    assert whittle(case, "inspect", "-f", "{{json .Config.Labels}}", "app:1").out == '{"stage":"test","v":"1"}\n'
    assert whittle(case, "inspect", "-f", '{{index .Config.Labels "v"}}', document["Id"][7:15]).out == "1\n"
    config = json.loads(whittle(case, "inspect", "--raw", "config", "app:1").out)
    assert config["config"]["Cmd"] == ["cat", "/f"], config
    manifest = json.loads(whittle(case, "inspect", "--raw", "manifest", "app:1").out)
    assert manifest["config"]["digest"] == document["Id"], manifest
    answer = whittle(case, "inspect", "none", "app:1", status=1)
    assert json.loads(answer.out)[0]["Id"] == document["Id"]
    answer.says("there is no image 'none'")
