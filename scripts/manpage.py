#!/usr/bin/env python3
"""Turns the argument definitions of a program into its man page.

    usage: PROGRAM --experimental-dump-help | scripts/manpage.py VERSION > PROGRAM.1

Reads the JSON of swift-argument-parser's ToolInfo (serializationVersion 0) and writes man(7) macros. The subcommands are
sections of the one page, each with its usage and its options.
"""
import json
import sys


def escaped(text):
    """Text that troff prints as it is: no line of it can become a request."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def spelled(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def value_name(argument):
    return argument.get("valueName") or "value"


def usage_of(path, command):
    words = [f"\\fB{escaped(' '.join(path))}\\fR"]
    for argument in visible_arguments(command):
        if argument["kind"] == "positional":
            word = f"\\fI{escaped(value_name(argument).upper())}\\fR"
        else:
            word = f"\\fB{escaped(spelled(argument['preferredName']))}\\fR"
            if argument["kind"] == "option":
                word += f" \\fI{escaped(value_name(argument).upper())}\\fR"
        if argument.get("isRepeating"):
            word += "..."
        words.append(word if not argument.get("isOptional", True) else f"[{word}]")
    if command.get("subcommands"):
        words.append("\\fICOMMAND\\fR ...")
    return " ".join(words)


def visible_arguments(command):
    shown = [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)]
    return [argument for argument in shown if names_of(argument) != ["-h", "--help"] or len(shown) == 1]


def names_of(argument):
    return [spelled(name) for name in argument.get("names", [])]


def argument_lines(argument):
    if argument["kind"] == "positional":
        yield ".TP"
        yield f"\\fI{escaped(value_name(argument).upper())}\\fR"
    else:
        names = ", ".join(f"\\fB{escaped(name)}\\fR" for name in sorted(names_of(argument), key=len))
        value = f" \\fI{escaped(value_name(argument).upper())}\\fR" if argument["kind"] == "option" else ""
        yield ".TP"
        yield names + value
    text = " ".join(argument.get(key, "") for key in ("abstract", "discussion") if argument.get(key))
    values = argument.get("allValues") or argument.get("allValueStrings")
    if values and not any(value in text for value in values):
        text += f" One of: {', '.join(values)}."
    if argument.get("defaultValue"):
        text += f" Default: {argument['defaultValue']}."
    yield escaped(text.strip() or "No description.")


def command_lines(path, command):
    yield ".SH " + escaped(" ".join(path).upper())
    if command.get("abstract"):
        yield escaped(command["abstract"])
    yield ".PP"
    yield usage_of(path, command)
    if command.get("discussion"):
        for paragraph in command["discussion"].split("\n\n"):
            yield ".PP"
            yield escaped(paragraph)
    section = None
    for argument in visible_arguments(command):
        title = argument.get("sectionTitle")
        if title and title != section:
            yield ".SS " + escaped(title)
        section = title
        yield from argument_lines(argument)


def subcommands_of(command):
    commands = [each for each in command.get("subcommands", []) if each.get("shouldDisplay", True)]
    return [each for each in commands if each["commandName"] != "help"]


def all_commands(path, command):
    for each in subcommands_of(command):
        yield path + [each["commandName"]], each
        yield from all_commands(path + [each["commandName"]], each)


def page(command, version):
    name = command["commandName"]
    yield f'.TH {name.upper()} 1 "" "{name} {version}" "User Commands"'
    yield ".SH NAME"
    yield f"{escaped(name)} \\- {escaped(command.get('abstract', '').rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield usage_of([name], command)
    if command.get("discussion"):
        yield ".SH DESCRIPTION"
        yield escaped(command["discussion"])
    own = visible_arguments(command)
    if own:
        yield ".SH OPTIONS"
        for argument in own:
            yield from argument_lines(argument)
    yield ".SH COMMANDS"
    for path, each in all_commands([name], command):
        yield ".TP"
        yield f"\\fB{escaped(' '.join(path))}\\fR"
        yield escaped(each.get("abstract", "") or "No description.")
    for path, each in all_commands([name], command):
        own_arguments = [argument for argument in each.get("arguments", []) if names_of(argument) != ["--version"]]
        yield from command_lines(path, {**each, "arguments": own_arguments})
    yield from environment_lines()


def environment_lines():
    yield ".SH ENVIRONMENT"
    for name, text in (
        ("WHITTLE_ROOT", "Where the store is, unless --root says so."),
        ("DOCKER_CONFIG", "The directory of config.json with the credentials of registries."),
        ("REGISTRY_AUTH_FILE", "A file with the credentials of registries, in the same form."),
        ("CONTAINERS_REGISTRIES_CONF", "Mirrors and insecure hosts, instead of the system's registries.conf."),
    ):
        yield ".TP"
        yield f"\\fB{name}\\fR"
        yield escaped(text)
    yield ".SH EXIT STATUS"
    yield "0 when everything was done; otherwise what went wrong is on standard error."
    yield ".SH SEE ALSO"
    yield ".BR crun (1),\n.BR containers\\-registries.conf (5),\n.BR dockerignore (5)"


def main():
    tool = json.load(sys.stdin)
    if tool.get("serializationVersion") != 0:
        raise SystemExit(f"manpage: unknown form of --experimental-dump-help: {tool.get('serializationVersion')}")
    print("\n".join(page(tool["command"], sys.argv[1])))


if __name__ == "__main__":
    main()
