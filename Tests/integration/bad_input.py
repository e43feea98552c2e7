"""Dockerfiles and ignore files that mean harm, each as bytes. `size` 1 is what an attacker would send; tests take less."""


def repeated(line, size, total=10 << 20):
    return line * max(1, int(total * size) // len(line))


def count(number, size):
    return max(2, int(number * size))


def dockerfiles(size):
    n = lambda number: count(number, size)
    yield "10 MB of comments", repeated(b"# a comment of some words\n", size) + b"FROM scratch\n"
    yield "10 MB of RUN", b"FROM scratch\n" + repeated(b"RUN echo a few words\n", size)
    yield "one line of 10 MB", b"FROM scratch\nRUN " + repeated(b"a ", size) + b"\n"
    yield "one word of 10 MB", b"FROM scratch\nENV A=" + repeated(b"a", size) + b"\n"
    yield "one COPY of a million words", b"FROM scratch\nCOPY " + repeated(b"a ", size, 2 << 20) + b"/\n"
    yield "one EXPOSE of many ranges", b"FROM scratch\nEXPOSE " + b"1-65535 " * n(1_000) + b"\n"
    yield "one JSON array of 10 MB", b"FROM scratch\nCMD [" + repeated(b'"a",', size) + b'"a"]\n'
    yield "deep JSON", b"FROM scratch\nCMD " + b"[" * n(1_000_000) + b"\n"
    yield "deep ONBUILD", b"FROM scratch\n" + b"ONBUILD " * n(100_000) + b"RUN a\n"
    yield "a million continued lines", b"FROM scratch\nRUN a \\\n" + b" b \\\n" * n(1_000_000) + b" c\n"
    yield "a million empty continued lines", b"FROM scratch\nRUN a \\\n" + b"\n" * n(1_000_000) + b" c\n"
    yield "a million flags", b"FROM scratch\nRUN " + b"--mount=type=tmpfs,target=/a " * n(100_000) + b"true\n"
    yield "one mount of a million fields", b"FROM scratch\nRUN --mount=type=cache," + b"id=a," * n(1_000_000) + b"target=/a true\n"
    yield "100,000 stages", b"".join(b"FROM scratch AS s%d\n" % i for i in range(n(100_000)))
    yield "100,000 stages on top of each other", b"FROM scratch AS s0\n" + b"".join(
        b"FROM s%d AS s%d\n" % (i, i + 1) for i in range(n(100_000)))
    yield "100,000 stages that hand down", b"FROM scratch AS s0\n" + b"".join(
        b"FROM s%d AS s%d\nENV v%d=1\nARG a%d\n" % (i, i + 1, i, i) for i in range(n(50_000)))
    yield "many stages on top of a large one", b"FROM scratch AS a\n" + b"".join(
        b"ENV v%d=1\n" % i for i in range(n(50_000))) + b"FROM a\nENV x=1\n" * n(50_000)
    yield "100,000 stages that copy from each other", b"FROM scratch AS s0\n" + b"".join(
        b"FROM scratch AS s%d\nCOPY --from=s%d / /\n" % (i + 1, i) for i in range(n(100_000)))
    yield "diamonds", b"FROM scratch AS s0\n" + b"".join(
        b"FROM s%d AS s%d\nCOPY --from=s%d / /\nCOPY --from=s%d / /b\n" % (i, i + 1, max(0, i - 1), i)
        for i in range(n(10_000)))
    yield "a circle of 100,000", b"".join(
        b"FROM scratch AS s%d\nCOPY --from=s%d / /\n" % (i, (i + 1) % n(100_000)) for i in range(n(100_000)))
    yield "stages of one name", b"FROM scratch AS a\n" * n(100_000)
    yield "ONBUILD that doubles", b"FROM scratch AS s0\nONBUILD RUN a\n" + b"".join(
        b"FROM s%d AS s%d\n" % (i, i + 1) + b"ONBUILD RUN a\n" * 20 for i in range(n(10_000)))
    yield "nested variables", b"FROM scratch\nENV A=" + b"${a:-" * n(10_000) + b"x" + b"}" * n(10_000) + b"\n"
    yield "nested patterns", b"FROM scratch\nENV A=b\nENV B=" + b"${A#" * n(10_000) + b"x" + b"}" * n(10_000) + b"\n"
    yield "open braces", b"FROM scratch\nENV A=" + b"${a:-" * n(1_000_000) + b"\n"
    yield "open quotes", b"FROM scratch\nENV A=" + b"'\"" * n(1_000_000) + b"\n"
    yield "variables that double", b"FROM scratch\nENV A=aaaaaaaa\n" + b"ENV A=$A$A\n" * n(1_000)
    yield "100,000 large variables", b"FROM scratch\nENV A=" + b"a" * 100_000 + b"\n" + b"".join(
        b"ENV v%d=$A\n" % i for i in range(n(100_000)))
    yield "100,000 ENV", b"FROM scratch\n" + b"".join(b"ENV v%d=$v%d\n" % (i, i - 1) for i in range(n(100_000)))
    yield "one ENV of 100,000", b"FROM scratch\nENV " + b" ".join(b"v%d=1" % i for i in range(n(100_000))) + b"\n"
    yield "100,000 ARG", b"FROM scratch\n" + b"".join(b"ARG v%d=$v%d\n" % (i, i - 1) for i in range(n(100_000)))
    yield "100,000 global ARG", b"".join(
        b"ARG v%d=$v%d\n" % (i, max(0, i - 1)) for i in range(n(100_000))) + b"FROM scratch$v%d\n" % (n(100_000) - 1)
    yield "ARG and RUN in turn", b"FROM scratch\n" + b"".join(b"ARG v%d=1\nRUN a\n" % i for i in range(n(20_000)))
    yield "unknown variables", b"FROM scratch\n" + b"".join(b"USER $unknown%d\n" % i for i in range(n(100_000)))
    yield "unknown variables among many", b"FROM scratch\n" + b"".join(b"ENV variable%d=1\n" % i for i in range(
        n(20_000))) + b"".join(b"USER $variabl%d\n" % i for i in range(n(20_000)))
    yield "unknown variables in FROM", b"".join(b"ARG variable%d=1\n" % i for i in range(n(20_000))) + b"".join(
        b"FROM ${variabl%d:-scratch}\n" % i for i in range(n(20_000)))
    yield "labels", b"FROM scratch\n" + b"".join(b"LABEL l%d=1\n" % i for i in range(n(100_000)))
    yield "100,000 heredocs", b"FROM scratch\n" + b"COPY <<A /a\nb\nA\n" * n(100_000)
    yield "one COPY of 100,000 heredocs", b"FROM scratch\nCOPY " + b"".join(
        b"<<A%d " % i for i in range(n(20_000))) + b"/\n" + b"".join(b"A%d\n" % i for i in range(n(20_000)))
    yield "heredoc without an end", b"FROM scratch\nRUN <<A\n" + repeated(b"b\n", size)
    yield "a pattern that backtracks", b"FROM scratch\nENV A=" + b"a" * 10_000 + b"\nENV B=${A%%" + b"*a" * n(100) + b"*b}\n"
    yield "replacements in a large value", b"FROM scratch\nENV A=" + b"ab" * 50_000 + (
        b"\nENV B=${A//?/xx}\nENV C=${A//*b*c/x}\n" * n(100))
    yield "invalid UTF-8", b"FROM scratch\n\xff\xfe\n"
    yield "invalid UTF-8 in words", b"FROM scratch\n" + b"ENV A=\xff\xc3 $\xff ${\xff}\nCOPY \xed\xa0\x80 <<\xff /\n\xff\nLABEL \x80=\xc0\n" * n(1_000)
    yield "NUL bytes", b"FROM scratch\nRUN a\0b\nENV A=\0\nCOPY \0 /\0\n\0\n"
    yield "10 MB of NUL", b"FROM scratch\n" + repeated(b"\0", size)
    yield "10 MB of line ends", repeated(b"\r\n", size)
    yield "carriage returns", b"FROM scratch\r" * n(100_000)
    yield "a long keyword", repeated(b"R", size) + b" a\n"
    yield "a long stage name", b"FROM scratch AS " + repeated(b"s", size) + b"\n"
    yield "a long base name", b"FROM " + repeated(b"s/", size) + b"s\n"
    yield "a long directive", b"# check=" + repeated(b"skip=a,", size) + b"\nFROM scratch\n"
    yield "comments above an instruction", b"# check=skip=all\n" * n(500_000) + b"FROM scratch\n"
    yield "one byte", b"F"
    yield "nothing", b""


def ignore_files(size):
    n = lambda number: count(number, size)
    yield "100,000 patterns", b"".join(b"a%d/**/b\n" % i for i in range(n(100_000)))
    yield "100,000 double stars", b"**/a*b*c\n" * n(100_000)
    yield "a long pattern of double stars", b"**/" * n(10_000) + b"x\n"
    yield "a long pattern of stars", b"*a" * n(10_000) + b"b\n"
    yield "a pattern of 10 MB", repeated(b"a", size) + b"\n"
    yield "exceptions", b"*\n!a/**/b\n" * n(50_000)
    yield "invalid UTF-8", b"\xff*\n\xc3[\n"
    yield "NUL bytes", b"a\0b\n\0\n"
    yield "open brackets", b"[" * n(100_000) + b"\n"
