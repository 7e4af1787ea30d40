"""The options of gates, which evaluate and gate share."""

from __future__ import annotations

from typing import Annotated

from losscli.cli.options import option

OUTPUT, JUDGING = "Output", "Judging"

Gates = Annotated[
    list[str] | None,
    option(
        "--gate",
        "-g",
        panel=JUDGING,
        metavar="GATE",
        help="'huber <= 0.5', 'log_loss[class=*] < 0.6', 'hi(mae) <= base + 1%'; status 1 where one fails.",
    ),
]
Confident = Annotated[
    bool,
    option(
        "--confident/--no-confident",
        panel=JUDGING,
        help="A weak verdict is unsure: a warning, whichever way it points.",
    ),
]
Strict = Annotated[
    bool,
    option("--strict/--no-strict", panel=JUDGING, help="As --confident, and an unsure verdict is a failure."),
]
MinRows = Annotated[
    str, option("--min-n", panel=JUDGING, metavar="N", help="Cells of fewer rows are shown, not judged.")
]
OutputFiles = Annotated[
    list[str] | None,
    option(
        "-o",
        "--output",
        panel=OUTPUT,
        metavar="FILE",
        help="Write a report too: .json, .csv, .md, .txt, .xml (JUnit), .flat.json (metrics of DVC), "
        "or github: summary and annotations of a GitHub job; repeatable.",
    ),
]
Format = Annotated[
    str | None,
    option(
        "--format",
        panel=OUTPUT,
        metavar="FORMAT",
        help="table (default), json, csv, markdown, junit or flat.",
    ),
]
Json = Annotated[bool, option("--json", panel=OUTPUT, help="The same as --format json.")]
Bare = Annotated[bool, option("--bare", panel=OUTPUT, help="Only the overall values, with every digit.")]
Color = Annotated[
    str, option("--color", panel=OUTPUT, metavar="WHEN", help="auto (default), always or never.")
]
Quiet = Annotated[bool, option("--quiet", "-q", panel=OUTPUT, help="Nothing on stderr but errors.")]
Debug = Annotated[bool, option("--debug", panel=OUTPUT, help="Show the traceback of an error.")]
