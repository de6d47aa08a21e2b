"""The report: markdown for people and JSON with all numbers, rewritten after every change.

A file is replaced as a whole, so that one that was cut off half way through the check can be read.
"""

import json
import os
import pathlib
import time
from dataclasses import dataclass, field

RUNNING, OK, MISSED, FAILED, SKIPPED = "running", "ok", "bound missed", "failed", "skipped"


def cell(value):
    if isinstance(value, float):
        return f"{value:.2e}" if value and abs(value) < 0.01 else f"{value:.4g}"
    return "" if value is None else str(value)


@dataclass
class Part:
    """One part of the check. Its methods add text and numbers, and write the report."""

    report: "Report"
    title: str
    status: str = RUNNING
    reason: str = ""
    seconds: float = 0.0
    lines: list = field(default_factory=list)
    numbers: dict = field(default_factory=dict)
    verdicts: list = field(default_factory=list)

    def say(self, text):
        self.lines += ["", text]
        self.report.write()

    def code(self, text):
        self.lines += ["", "```", *text.rstrip().splitlines(), "```"]
        self.report.write()

    def table(self, name, columns):
        """A table of a name and columns, to which `row` adds. Rows are kept in JSON under the name."""
        self.lines += ["", "| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
        self.numbers[name] = []
        place = len(self.lines)

        def row(*values):
            nonlocal place
            self.lines.insert(place, "| " + " | ".join(cell(value) for value in values) + " |")
            place += 1
            self.numbers[name].append(dict(zip(columns, values, strict=True)))
            self.report.write()

        return row

    def judge(self, what, held):
        """A bound or goal, and whether it held."""
        self.verdicts.append({"what": what, "held": bool(held)})
        self.lines += ["", f"{'Held' if held else '**Missed**'}: {what}"]
        self.report.write()
        return "held" if held else "missed"

    def end(self, status=None, reason=""):
        held = all(verdict["held"] for verdict in self.verdicts)
        self.status, self.reason = status or (OK if held else MISSED), reason
        self.report.write()


class Report:
    def __init__(self, folder, about):
        self.folder, self.about, self.parts, self.begun = pathlib.Path(folder), about, [], time.time()
        self.folder.mkdir(parents=True, exist_ok=True)

    def begin(self, title):
        self.parts.append(Part(self, title))
        self.write()
        return self.parts[-1]

    def good(self):
        return all(part.status in (OK, SKIPPED) for part in self.parts)

    def write(self):
        replace(self.folder / "report.md", self.markdown())
        replace(self.folder / "report.json", json.dumps(self.json(), indent=1))

    def markdown(self):
        lines = ["# acdclip on a GPU: the check", "", ", ".join(f"{key} {value}" for key, value in self.about.items()) + "."]
        lines += [f"{time.time() - self.begun:.0f} seconds so far, or in all.", "", "| part | result | seconds |", "|---|---|---:|"]
        for part in self.parts:
            lines.append(f"| {part.title} | {part.status}{': ' + part.reason if part.reason else ''} | {part.seconds:.0f} |")
        for part in self.parts:
            lines += ["", f"## {part.title}", *part.lines]
            if part.reason:
                lines += ["", f"{part.status}: {part.reason}"]
        return "\n".join(lines) + "\n"

    def json(self):
        keys = ("title", "status", "reason", "seconds", "verdicts", "numbers")
        parts = [{key: getattr(part, key) for key in keys} for part in self.parts]
        return {"about": self.about, "seconds": time.time() - self.begun, "parts": parts}


def replace(path, text):
    beside = path.with_suffix(path.suffix + ".new")
    beside.write_text(text)
    os.replace(beside, path)
