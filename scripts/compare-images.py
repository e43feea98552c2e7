#!/usr/bin/env python3
"""Compares the layers of OCI layouts: the same bytes, or the same but for what two builds of one builder differ in.

   usage: scripts/compare-images.py LAYOUT AGAIN OTHER

LAYOUT and AGAIN come from one builder, OTHER from the one that is judged. Steps write times, and contents that have them
(bytecode, caches, logs): OTHER may differ from LAYOUT in the times of files, and in contents that differ in AGAIN as well.
Names, kinds, owners, modes, links, devices and attributes have to be equal.
"""
import hashlib
import pathlib
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Tests" / "integration"))
import image  # noqa: E402


def described(layout, number):
    """The entries of a layer by name: what has to be equal, and the digest of the contents."""
    entries = {}
    with tarfile.open(layout.path(layout.layers[number])) as archive:
        for member in archive:
            header = member.get_info()
            size = header.pop("size")
            del header["mtime"], header["chksum"]
            attributes = {key: value for key, value in member.pax_headers.items() if key not in ("mtime", "size")}
            content = hashlib.sha256(archive.extractfile(member).read()).digest() if member.isreg() else b""
            entries[member.name] = (header, attributes), (size, content)
    return entries


def compare(number, mine, again, other):
    """How many files have other contents, as they have in each build; ends the program where there is more."""
    # A name that one builder gives by chance or by the clock is no name that another must give.
    stable = mine.keys() & again.keys()
    missing = stable - other.keys()
    extra = other.keys() - mine.keys() if mine.keys() == again.keys() else set()
    if missing or extra:
        sys.exit(f"layer {number}: only in one: {sorted(missing)[:5]} {sorted(extra)[:5]}")
    varying = 0
    for name in stable:
        (fixed, content), (other_fixed, other_content) = mine[name], other[name]
        if fixed != other_fixed and fixed == again[name][0]:
            sys.exit(f"layer {number}: {name} differs: {fixed} {other_fixed}")
        if content != other_content:
            if content == again[name][1]:
                sys.exit(f"layer {number}: {name} has other contents")
            varying += 1
    return varying


def main():
    mine, again, other = (image.Image(path) for path in sys.argv[1:4])
    if not len(mine.layers) == len(again.layers) == len(other.layers):
        sys.exit(f"{len(mine.layers)} layers, {len(again.layers)} and {len(other.layers)}")
    equal = varying = 0
    for number in range(len(mine.layers)):
        if mine.layers[number]["digest"] == other.layers[number]["digest"]:
            equal += 1
        else:
            varying += compare(number + 1, *(described(layout, number) for layout in (mine, again, other)))
    text = f"{equal} layers the same, {len(mine.layers) - equal} but for times"
    print(text + (f" and {varying} files that differ in every build" if varying else ""))


main()
