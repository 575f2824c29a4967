#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of docs/protocol.md, asked of a real rtregd in their order: each gets the status and the headers that
are told, and a body of the same shape."""

import json
import pathlib
import re
import time
import unittest

from test_daemon import DaemonTest

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
# Of what is told about all keys, an example shows a few.
SHORTENED = {"config", "origin"}
# What a stock runtime has only on machines that have its binary.
OF_THE_MACHINE = {"status"}


class Example:
    def __init__(self, text):
        said = [line[2:] for line in text.splitlines() if line.startswith(">")]
        told = [line[2:] for line in text.splitlines() if line.startswith("<")]
        self.method, self.path = said[0].split(" ")
        end = said.index("") if "" in said else len(said)
        self.headers = dict(line.split(": ", 1) for line in said[1:end])
        self.body = "\n".join(said[end + 1 :]) or None
        self.status = int(told[0].split()[0])
        self.told_headers = dict(line.split(": ", 1) for line in told[1:] if line)
        self.told_values = values_in("".join(line for line in text.splitlines(True) if line[0] not in "<>"))


def values_in(text):
    """The JSON values that follow each other in a text."""
    values, decoder = [], json.JSONDecoder()
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:]
    return values


def differences(told, found, where):
    """Where two values differ in shape: members, types, and which lists are empty."""
    if type(told) is not type(found):
        yield f"{where}: told as {told!r}, is {found!r}"
    elif isinstance(told, dict):
        if set(told) - set(found) or (set(found) - set(told) - OF_THE_MACHINE and where.rpartition(".")[2] not in SHORTENED):
            yield f"{where}: told with {sorted(told)}, has {sorted(found)}"
        for key in sorted(set(told) & set(found)):
            yield from differences(told[key], found[key], f"{where}.{key}")
    elif isinstance(told, list):
        if len(told) != len(found):
            yield f"{where}: told with {len(told)} elements, has {len(found)}"
        for index, pair in enumerate(zip(told, found)):
            yield from differences(*pair, f"{where}[{index}]")


class Protocol(DaemonTest):
    def place(self, text):
        """What the document says of /usr/local/bin, said of this test's directory."""
        return text.replace("/usr/local/bin", self.directory)

    def ask(self, example):
        path = re.sub(r"until=\d+", f"until={int(time.time()) + 1}", example.path)
        reply = self.request(example.method, path, example.body and self.place(example.body), example.headers)
        self.assertEqual(reply.status, example.status, reply.text)
        for name, value in example.told_headers.items():
            self.assertEqual(reply.headers[name], value, name)
        found = values_in(reply.text)
        if example.path.startswith("/v1/events"):
            actions = {value["Action"]: value for value in found}
            found = [actions[value["Action"]] for value in example.told_values]
        self.assertEqual(len(found), len(example.told_values))
        for told, value in zip(example.told_values, found):
            self.assertEqual(list(differences(told, value, "")), [])

    def test_every_example_is_answered_as_told(self):
        blocks = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
        self.configure(self.place(next(text for kind, text in blocks if kind == "json")))
        self.script("runsc", 'echo \'{"ociVersionMin":"1.0.0","ociVersionMax":"1.1.0"}\'\n')
        examples = [Example(text) for kind, text in blocks if not kind]
        self.assertGreater(len(examples), 10)
        self.start()
        for example in examples:
            with self.subTest(f"{example.method} {example.path}"):
                self.ask(example)


if __name__ == "__main__":
    unittest.main()
