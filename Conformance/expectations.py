"""Checks an image, or an error, against what a case expects of it."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Tests" / "integration"))
import image as images  # noqa: E402


class Unmet(Exception):
    """What was found instead."""


def require(condition, text):
    if not condition:
        raise Unmet(text)


def check_error(case, result, exact):
    """An error with the code, line and words that are expected; of a peer only that it fails."""
    expected = case.get("error")
    require(not result.built, "it built, and should not have")
    if not exact:
        return
    found = re.search(r"(?:^|\n)(?:(?P<place>\S+?):(?P<line>\d+):\d+: )?error\[(?P<code>[a-z0-9-]+)\]", result.text)
    require(found, f"no error with a code: {result.text[-800:]}")
    if "code" in expected:
        require(found["code"] == expected["code"], f"error {found['code']}, not {expected['code']}: {result.text[-600:]}")
    if "line" in expected:
        require(found["line"] == str(expected["line"]), f"line {found['line']}, not {expected['line']}: {result.text[-600:]}")
    if "text" in expected:
        require(expected["text"] in result.text, f"does not say '{expected['text']}': {result.text[-600:]}")


def check_image(case, result, ignored=()):
    """- ignored: sections of `whittle diff` that are not looked at, for a peer that arranges them in a way of its own."""
    require(result.built, f"exit status {result.status}: {result.text[-1200:]}")
    image = images.Image(result.layout)
    check_config(case.get("config", {}), image, ignored)
    if "layers" in case.data and "layers" not in ignored:
        require(len(image.layers) == case.get("layers"), f"{len(image.layers)} layers, not {case.get('layers')}")
    if "history" in case.data and "history" not in ignored:
        found = [entry.get("created_by", "") for entry in image.config.get("history", [])]
        found = [text for text in found if text != "test layer"]
        require(found == case.get("history"), f"history {found}")
    if "files" in case.data or "only_files" in case.data:
        tree = {"/" + path: value for path, value in image.tree().items()}
        for path, expected in case.get("files", {}).items():
            check_file(path, expected, tree)
        if "only_files" in case.data:
            found = sorted(path for path, (member, _) in tree.items() if not member.isdir())
            require(found == sorted(case.get("only_files")), f"files {found}")


def check_config(expected, image, ignored):
    config = image.config.get("config") or {}
    for key, value in expected.items():
        if f"config.{key}" in ignored:
            continue
        if key in ("architecture", "os", "variant", "author"):
            found = image.config.get(key, "")
        elif key == "env_has":
            variables = dict(line.split("=", 1) for line in config.get("Env") or [])
            for name, text in value.items():
                found = variables.get(name)
                # There is no null in TOML: false is for what must not be there.
                require(found == text or text is False and found is None, f"variable {name} is {found!r}, not {text!r}")
            continue
        elif key in ("ExposedPorts", "Volumes"):
            found = sorted(config.get(key) or {})
        else:
            found = config.get(key)
            if found is None:
                found = type(value)()
        require(found == value, f"{key} is {found!r}, not {value!r}")


def check_file(path, expected, tree):
    if expected is False:
        require(path not in tree, f"{path} is there")
        return
    require(path in tree, f"no {path} in {sorted(tree)[-30:]}")
    member, content = tree[path]
    if member.islnk():
        target = tree.get("/" + member.linkname.strip("/"))
        content = target[1] if target and content is None else content
    if isinstance(expected, str):
        expected = {"text": expected}
    checks = {
        "text": lambda: content.decode() if content is not None else None,
        "mode": lambda: f"{member.mode & 0o7777:04o}",
        "owner": lambda: f"{member.uid}:{member.gid}",
        "link": lambda: member.linkname if member.issym() else None,
        "hardlink": lambda: "/" + member.linkname.strip("/") if member.islnk() else None,
        "directory": lambda: member.isdir(),
        "time": lambda: member.mtime,
        "size": lambda: member.size,
        "lines": lambda: content.decode().splitlines(),
    }
    for key, value in expected.items():
        if key == "has":
            require(value in content.decode(), f"{path} has not '{value}': {content.decode()[:500]!r}")
            continue
        require(key in checks, f"unknown expectation '{key}' of {path}")
        found = checks[key]()
        require(found == value, f"{path}: {key} is {found!r}, not {value!r}")
