# SPDX-License-Identifier: LGPL-2.1-or-later
"""A strict parser of Prometheus' text format, version 0.0.4: what it accepts is more regular than what Prometheus does."""

import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?|[+-]Inf|NaN")
TYPES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
HELP_ESCAPES = {"\\": "\\", "n": "\n"}
LABEL_ESCAPES = {**HELP_ESCAPES, '"': '"'}


class Malformed(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Malformed(why)


def unescape(text, escapes):
    """The text without its escapes; those that are not in the table are malformed."""
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
            need(at < len(text) and text[at] in escapes, f"bad escape in {text!r}")
            out.append(escapes[text[at]])
        else:
            out.append(text[at])
        at += 1
    return "".join(out)


def read_labels(text, line):
    """The labels behind an opening brace, and what follows the closing one."""
    labels = {}
    while not text.startswith("}"):
        match = LABEL_NAME.match(text)
        need(match and text[match.end() :].startswith('="'), f"bad label in {line!r}")
        value = re.match(r'((?:[^"\\]|\\.)*)"', text[match.end() + 2 :])
        need(value, f"open label value in {line!r}")
        need(match.group() not in labels, f"a label twice in {line!r}")
        labels[match.group()] = unescape(value.group(1), LABEL_ESCAPES)
        text = text[match.end() + 2 + value.end() :]
        need(text.startswith(("}", ",")), f"bad end of a label in {line!r}")
        need(not text.startswith((",}", ",,")), f"bad end of a label in {line!r}")
        text = text.removeprefix(",")
    need(labels, f"empty braces in {line!r}")
    return labels, text[1:]


def read_sample(line):
    """(name, labels, value) of a line."""
    name = NAME.match(line)
    need(name, f"bad name in {line!r}")
    labels, rest = {}, line[name.end() :]
    if rest.startswith("{"):
        labels, rest = read_labels(rest[1:], line)
    need(rest.startswith(" ") and NUMBER.fullmatch(rest[1:]), f"bad value in {line!r}")
    return name.group(), labels, float(rest[1:].replace("Inf", "inf"))


class Family:
    def __init__(self, name, help_text, kind):
        self.name, self.help, self.type = name, help_text, kind
        self.samples = {}  # (suffix, sorted labels) to value

    def add(self, line):
        name, labels, value = read_sample(line)
        suffix = name.removeprefix(self.name)
        need(name.startswith(self.name) and suffix in TYPES[self.type], f"{line!r} is no sample of {self.name}")
        need(("le" in labels) == (suffix == "_bucket"), f"le belongs to buckets: {line!r}")
        need("quantile" not in labels, f"a quantile: {line!r}")
        key = (suffix, tuple(sorted(labels.items())))
        need(key not in self.samples, f"twice: {line!r}")
        need(self.type == "gauge" or value >= 0, f"negative: {line!r}")
        self.samples[key] = value

    def label_names(self):
        return {name for _, labels in self.samples for name, _ in labels} - {"le"}

    def groups(self):
        """Label sets without le, each with its buckets in order of appearance."""
        groups = {}
        for (suffix, labels), value in self.samples.items():
            rest = tuple(pair for pair in labels if pair[0] != "le")
            buckets = groups.setdefault(rest, [])
            if suffix == "_bucket":
                buckets.append((float(dict(labels)["le"].replace("Inf", "inf")), value))
        return groups

    def check(self):
        need((self.type == "counter") == self.name.endswith("_total"), f"{self.name} is a {self.type}")
        need(not self.name.endswith(("_bucket", "_sum", "_count")), f"{self.name} has the name of a part")
        if self.type not in ("histogram", "summary"):
            return
        for labels, buckets in self.groups().items():
            need(("_sum", labels) in self.samples, f"{self.name}{labels} has no sum")
            need(("_count", labels) in self.samples, f"{self.name}{labels} has no count")
            if self.type == "summary":
                continue
            need(buckets and buckets[-1][0] == math.inf, f"{self.name}{labels} does not end with +Inf")
            need(buckets == sorted(buckets) and len(dict(buckets)) == len(buckets), f"{self.name}{labels}: order")
            values = [value for _, value in buckets]
            need(values == sorted(values), f"{self.name}{labels} is not cumulative")
            need(values[-1] == self.samples["_count", labels], f"{self.name}{labels}: +Inf is not the count")


class Page:
    """families: name to Family, in order."""

    def __init__(self, text):
        self.families = {}
        need(text.endswith("\n"), "no newline at the end")
        lines = text[:-1].split("\n")
        family = None
        while lines:
            line = lines.pop(0)
            if line.startswith("#"):
                family = self.begin(line, lines.pop(0) if lines else "")
            else:
                need(family, f"a sample without a head: {line!r}")
                family.add(line)
        for family in self.families.values():
            family.check()

    def begin(self, first, second):
        head, kind = re.fullmatch(r"# HELP (\S+) (.+)", first), re.fullmatch(r"# TYPE (\S+) (\w+)", second)
        need(head and kind and head.group(1) == kind.group(1), f"bad head: {first!r}, {second!r}")
        name = head.group(1)
        need(NAME.fullmatch(name) and kind.group(2) in TYPES, f"bad head: {second!r}")
        need(name not in self.families, f"{name} comes twice")
        for other in self.families:
            need(not any(name == other + suffix for suffix in ("_bucket", "_sum", "_count")), f"{name} clashes with {other}")
        self.families[name] = Family(name, unescape(head.group(2), HELP_ESCAPES), kind.group(2))
        return self.families[name]

    def value(self, name, suffix="", **labels):
        """A sample's value; 0 if there is none."""
        return self.families[name].samples.get((suffix, tuple(sorted(labels.items()))), 0)

    def rising(self):
        """All that may never go down, by (family, suffix, labels)."""
        return {(family.name, *key): value for family in self.families.values() if family.type != "gauge"
                for key, value in family.samples.items()}
