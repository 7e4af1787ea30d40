"""Curves in a terminal: dots, marks, bars, labels, and nothing outside of the frame."""

import math

import pytest

from losscli.render.chart import LABELS, Canvas, Line, legend, line_chart

MARKS = Canvas(20, 5, colour=False, unicode=False)
DOTS = Canvas(20, 5, colour=True, unicode=True)
RISING = Line("rising", [i / 39 for i in range(40)], "cyan", "*")
FLAT = Line("flat", [0.5] * 40, "red", "+")


def text(rows):
    return ["".join(piece for piece, _ in row).rstrip() for row in rows]


def test_marks_are_ascii_and_show_each_curve():
    rows = text(line_chart([RISING, FLAT], 0.0, 1.0, MARKS))
    assert "\n".join(rows).isascii()
    assert rows == [
        "       1 |                  **",
        "         |             *****",
        "         |++++++++*****+++++++",
        "         |   *****",
        "       0 |***",
        "         +--------------------",
        "          0       0.5        1",
    ]


def test_without_colours_curves_are_marks_even_in_unicode():
    rows = text(line_chart([RISING], 0.0, 1.0, Canvas(20, 5, colour=False, unicode=True)))
    assert rows[0].startswith("       1 │")
    assert "*" in rows[0]
    assert not any("⠀" <= sign <= "⣿" for row in rows for sign in row)


def test_dots_have_the_style_of_their_curve():
    rows = line_chart([RISING, FLAT], 0.0, 1.0, DOTS)
    styles = {style for row in rows[:5] for _, style in row[1:]}
    assert styles == {"cyan", "red", ""}
    assert {"⣀", "⠤", "⠒", "⠉"} & set("".join(text(rows)))
    assert [style for (_, style), *_ in legend([RISING, FLAT], DOTS)] == ["cyan", "red"]


def test_the_first_curve_stands_above_the_others():
    rows = line_chart([RISING, Line("same", RISING.values, "red", "+")], 0.0, 1.0, MARKS)
    assert "+" not in "".join(text(rows[:5]))


def test_the_first_curve_sets_the_scale_and_others_leave_the_frame():
    steep = Line("steep", [10 * value for value in RISING.values], "red", "+")
    rows = text(line_chart([RISING, steep], 0.0, 1.0, MARKS))
    assert rows[0].startswith("       1 |")
    assert rows[0].count("+") >= 1
    assert "+" not in rows[0][LABELS + 4 :]
    assert len(rows) == 7


def test_a_steep_step_is_drawn_from_height_to_height():
    step = Line("step", [0.0] * 20 + [1.0] * 20, "red", "#")
    column = [row[LABELS + 10 :][:1] for row in text(line_chart([step], 0.0, 1.0, MARKS))[:5]]
    assert column[:4] == ["#"] * 4


def test_values_below_zero_and_gaps_of_what_is_not_finite():
    rows = text(
        line_chart(
            [Line("l", [-2.0] * 10 + [math.nan] * 10 + [math.inf] * 10 + [2.0] * 10, "", "*")], -1, 1, MARKS
        )
    )
    assert rows[0] == "       2 |" + " " * 15 + "*" * 5
    assert rows[4] == "      -2 |" + "*" * 5


def test_constant_zero_has_a_scale():
    rows = text(line_chart([Line("zero", [0.0] * 40, "", "*")], -1, 1, MARKS))
    assert rows[4] == "       0 |" + "*" * 20


@pytest.mark.parametrize(("canvas", "signs"), [(MARKS, " #"), (DOTS, " ▁▂▃▄▅▆▇█")])
def test_bars_stand_under_the_axis(canvas, signs):
    heights = [0.0, 0.001, *[0.5] * 17, 1.0]
    rows = text(line_chart([RISING], 0.0, 1.0, canvas, heights))
    bars = [row[LABELS:].ljust(20) for row in rows[6:9]]
    assert set("".join(bars)) <= set(signs)
    assert [row[0] for row in bars] == [" "] * 3
    assert [row[1] for row in bars] == [" ", " ", signs[1]]
    assert [row[19] for row in bars] == [signs[-1]] * 3
