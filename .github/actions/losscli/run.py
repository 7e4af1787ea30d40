"""Run the installed losscli for a job, and keep its report as one comment on the pull request.

A comment begins with a marker, by which the next run finds and updates it.  The status is that of losscli: a
comment that cannot be written is a warning, since a pull request of a fork has a token that may only read.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

LONGEST = 60_000
"""Characters of a report in a comment, of which GitHub takes 65,536."""


def main() -> int:
    """Run the program, and comment if the job is of a pull request."""
    comments = os.environ.get("LOSSCLI_COMMENT", "false") == "true"
    words = ["losscli", *shlex.split(os.environ["LOSSCLI_ARGS"]), "-o", "github"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.md")
        status = subprocess.call([*words, "-o", str(report)] if comments else words)
        number = _pull_request() if comments else None
        if number is not None and report.exists():
            try:
                comment(number, report.read_text(encoding="utf-8"))
            except (OSError, ValueError, KeyError) as error:
                print(f"::warning title=losscli::no comment on the pull request: {error}")
    return status


def comment(number: int, text: str) -> None:
    """Write the comment of these jobs on a pull request, or update it.

    Anyone may write the marker, but only comments of bots are updated.
    """
    name = re.sub(r"[^\w .]", "_", os.environ.get("LOSSCLI_COMMENT_NAME") or "report")
    marker = f"<!-- losscli: {name} -->"
    body = {"body": f"{marker}\n{_shortened(text)}"}
    comments = f"/repos/{os.environ['GITHUB_REPOSITORY']}/issues/{number}/comments"
    known, page = [], 1
    while page == 1 or len(known) == 100:
        known = _call("GET", f"{comments}?per_page=100&page={page}")
        for each in known:
            if (each["body"] or "").startswith(marker) and each["user"]["type"] == "Bot":
                _call("PATCH", f"/repos/{os.environ['GITHUB_REPOSITORY']}/issues/comments/{each['id']}", body)
                return
        page += 1
    _call("POST", comments, body)


def _pull_request() -> "int | None":
    """The number of the pull request of the job; None if it is of none."""
    path = os.environ.get("GITHUB_EVENT_PATH")
    event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    return event.get("pull_request", {}).get("number")


def _shortened(text: str) -> str:
    """A report of whole lines that a comment has room for."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST].rpartition(chr(10))[0]}\n\n... the summary of the job has the rest\n"


def _call(method: str, path: str, data: "dict | None" = None) -> "list | dict":
    request = urllib.request.Request(
        os.environ.get("GITHUB_API_URL", "https://api.github.com") + path,
        None if data is None else json.dumps(data).encode(),
        {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['LOSSCLI_TOKEN']}",
            "Content-Type": "application/json",
        },
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
