"""Numbers in text formats, whose columns have no types: roles parse them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from shlex import quote
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct

from losscli.numeric.arrays import Array, pl
from losscli.text import SHOWN, join_names

EXACT = 2**53
"""Every integer up to here is exactly a float64."""
NULLS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A", "\\N")
"""Spellings of a missing number.  A label or a key may well be the text NA."""
QUICK_NULL = "NA"
"""The null spelling that Polars recognises while it parses numbers."""
_WHOLE = r"^[+-]?[0-9]+$"
_LEADING_ZERO = r"^[+-]?0[0-9]"
_DECIMAL_COMMA = r"^[+-]?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_WRITTEN = (
    r"^(?:[$€£¥] ?)?[+-]?(?:[0-9]{1,3}(?:[.,' ][0-9]{3})+(?:[.,][0-9]*)?|[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)"
    r"(?:[eE][+-]?[0-9]+)?(?: ?[%$€£¥])?$"
)
"""Numbers as people write them: with decimal commas, thousands, percent or currency signs."""
_REMEDIES = (
    (r"[\[(][-+0-9]+(,[-+0-9]+)+[\])]", "separate the numbers of lists by ; or a space: [1; 2]"),
    (r"[\[(](?=.*\d,\d)[-+0-9eE,;\s]+[\])]", "--decimal , reads [0,5 1,5] as 0.5 and 1.5"),
    (r"#(DIV/0|VALUE|REF|NAME|NUM|NULL)[!?]", "these are errors of a spreadsheet: fix its formulas"),
    (r"#", "--comment '#' skips lines that begin with #"),
    (r".*%", "write percentages as fractions: 12 % is 0.12"),
    (r"[^$€£¥]*[$€£¥].*", "write the amounts without currency signs"),
    (r"[+-]?\d{1,3}(\.\d{3})+,\d*", "--decimal , --thousands . reads 1.234,5 as 1234.5"),
    (r"[+-]?\d{1,3}('\d{3})+(\.\d*)?", "--thousands \"'\" reads 1'234.5 as 1234.5"),
    (r"[+-]?\d{1,3}( \d{3})+(\.\d*)?", "--thousands ' ' reads 1 234.5 as 1234.5"),
    (r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}", "--thousands , reads 1,234.5 as 1234.5"),
    (r"[+-]?\d{1,3}(\.\d{3}){2,}", "--thousands . --decimal , reads 1.234.567 as 1234567"),
)
"""How to read the numbers of a column with a value that matches; the first match counts."""
_COMMA = r"^\s*[+-]?[0-9.]*,[0-9]+(?:[eE][+-]?[0-9]+)?\s*$"
_POINT = r"^\s*[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?\s*$"
_THREE_DIGITS = r"^\s*[+-]?[0-9]{1,3}\.[0-9]{3}\s*$"
_LIST = r"^[\[(].*[\])]$"
_TRUTH = {"true": 1.0, "false": 0.0}

_Text = TypeVar("_Text", "pl.Series", "pl.Expr")  # text, as Polars is imported when it is used


class Spelling(Struct, frozen=True):
    """How numbers are written in text: decimal sign, spellings of missing values, thousands separator."""

    decimal: str = "."
    nulls: tuple[str, ...] = ()
    thousands: str | None = None

    def as_in(self, texts: pl.DataFrame) -> Spelling:
        """The spelling in a file with these texts: a decimal point if its numbers have points and no commas.

        The options apply to all files, which may differ.  A number such as 1.234 decides nothing.
        """
        if self.decimal != ",":
            return self
        values = pl.concat([pl.Series(dtype=pl.String), *(each.alias("") for each in texts)])
        points = values.str.contains(_POINT) & ~values.str.contains(_THREE_DIGITS)
        if values.str.contains(_COMMA).any() or not points.any():
            return self
        return Spelling(".", self.nulls, None if self.thousands == "." else self.thousands)

    def plain_numbers(self, text: pl.Series) -> pl.Series | None:
        """The same as `numbers` in less time, if each text is missing or a plain number; None otherwise."""
        if self.decimal == "," and text.str.contains(".", literal=True).any():
            return None
        values = self.with_point(text).cast(pl.Float64, strict=False)
        is_plain = values.null_count() == text.null_count() and self.is_certain(values)
        return values if is_plain and not self._has_number_as_null() else None

    def is_certain(self, values: pl.Series) -> bool:
        """Whether numbers that Polars parsed need no second look at their texts.

        It rounds large integers, and where commas are decimal, it knows more words for NaN than `numbers`.
        """
        return not is_large(values) and (self.decimal == "." or not values.is_nan().any())

    def with_point(self, text: _Text) -> _Text:
        """Text with a decimal point for a decimal comma."""
        return text.str.replace(",", ".", literal=True) if self.decimal == "," else text

    def _has_number_as_null(self) -> bool:
        """Whether a spelling of a missing value is a number, as -999."""
        nulls = self.with_point(pl.Series(self.nulls, dtype=pl.String))
        return nulls.cast(pl.Float64, strict=False).count() > 0

    def stripped(self, text: pl.Expr) -> pl.Expr:
        """Text without the blanks around it; null for a missing value."""
        plain = text.str.strip_chars()
        return pl.when(~plain.is_in([*NULLS, *self.nulls])).then(plain)

    def numbers(self, text: pl.Expr) -> pl.Expr:
        """The numbers in text, true and false as 1 and 0; null for other text."""
        plain = self.stripped(text)
        truth = plain.str.to_lowercase().replace_strict(_TRUTH, default=None, return_dtype=pl.Float64)
        return pl.coalesce(self._written(plain).cast(pl.Float64, strict=False), truth)

    def _written(self, plain: pl.Expr) -> pl.Expr:
        """Numbers as Polars parses them; where commas are decimal, null for other text."""
        written = self._ungrouped(plain)
        if self.decimal == ",":
            written = pl.when(written.str.contains(_DECIMAL_COMMA)).then(self.with_point(written))
        return written

    def _ungrouped(self, text: pl.Expr) -> pl.Expr:
        """Text without thousands separators."""
        if self.thousands is None:
            return text
        sign, point = re.escape(self.thousands), re.escape(self.decimal)
        groups = rf"^[+-]?[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+(?:{point}[0-9]*)?$"
        plain = text.str.replace_all(self.thousands, "", literal=True)
        return pl.when(text.str.contains(groups)).then(plain).otherwise(text)

    def lists(self, text: pl.Expr) -> pl.Expr:
        """The lists of numbers in text: [0.1, 0.9], or [0.1 0.9] as NumPy prints them.

        Null where a sign could separate numbers or be part of one, as in [1,5] with decimal commas.
        """
        inner = self.stripped(text).str.strip_chars("[]()").str.strip_chars()
        parts = self._separated(inner).str.split(" ")
        return parts.cast(pl.List(pl.Float64), strict=False)

    def _separated(self, inner: pl.Expr) -> pl.Expr:
        """The numbers of a list with points and a space between them; null where a sign has two meanings."""
        # A comma between digits is decimal if other signs separate numbers, as in [0,5 1,5] or [0,5, 1,5].
        has_inner_comma = inner.str.contains(r",\S")
        has_separator = inner.str.contains(r";|[^,\s]\s|,[ \t]")
        with_points: pl.Expr = pl.when(~(has_inner_comma & has_separator)).then(
            inner.str.replace_all(r"\s*[,;\s]\s*", " ")
        )
        separated = with_points
        if self.decimal == ",":
            apart = inner.str.replace_all(r"\s*(?:;|,\s|\s)\s*", " ").str.replace_all(",", ".", literal=True)
            with_commas = pl.when(has_separator | ~has_inner_comma).then(apart)
            # Programs that write columns with commas may write lists with points all the same.
            has_point = inner.str.contains(".", literal=True)
            separated = pl.when(has_point).then(with_points).otherwise(with_commas)
        if self.thousands is None:
            return separated
        groups = rf"[0-9]{re.escape(self.thousands)}[0-9]{{3}}(?:[^0-9]|$)"
        return pl.when(~inner.str.contains(groups)).then(separated)

    def shown(self, text: pl.Expr, dtype: Any) -> pl.Expr:
        """Text as values of the type that it shows; null if missing or of another type."""
        if dtype == pl.Boolean:
            return self.numbers(text).cast(pl.Boolean)
        return text if dtype == pl.String else self._written(self.stripped(text)).cast(dtype, strict=False)


class Parsed(NamedTuple):
    """A text column as numbers or lists of numbers (n,), null if missing or invalid.

    `wrong` (n,) marks text that is not a number, `inexact` (n,) integers that float64 would round.
    """

    values: pl.Series
    wrong: Array | None = None
    inexact: Array | None = None


def parsed(text: pl.Series, dtype: Any, spelling: Spelling) -> Parsed:
    """The numbers of a column of text (n,), or its lists of numbers if `dtype` is one."""
    frame, column = text.to_frame(), pl.col(text.name)
    if isinstance(dtype, pl.List):
        values = frame.select(spelling.lists(column)).to_series()
        complete = values.list.eval(pl.element().is_not_null()).list.all().fill_null(False)
    else:
        plain_numbers = spelling.plain_numbers(text)
        if plain_numbers is not None:
            return Parsed(plain_numbers)
        values = frame.select(spelling.numbers(column)).to_series()
        complete = values.is_not_null()
    plain = frame.select(spelling.stripped(column)).to_series()
    wrong = (~complete & plain.is_not_null()).to_numpy()
    return Parsed(values, wrong if wrong.any() else None, _rounded_text(plain, values))


def rounded(numbers: pl.Series) -> Array | None:
    """A mask (n,) of the integers or decimals in a column that float64 would round; None without any."""
    low: Any = numbers.min()
    high: Any = numbers.max()
    if low is None or (low > -EXACT and high < EXACT):
        return None
    values = numbers.cast(pl.Float64)
    return _mask((values.cast(numbers.dtype, strict=False) != numbers).fill_null(numbers.is_not_null()))


def _rounded_text(text: pl.Series, values: pl.Series) -> Array | None:
    if values.dtype.is_nested() or not is_large(values):
        return None
    differ = (values.cast(pl.Int128, strict=False) != text.cast(pl.Int128, strict=False)).fill_null(True)
    return _mask(differ & text.str.contains(_WHOLE) & values.is_not_null())


def _mask(rows: pl.Series) -> Array | None:
    return rows.fill_null(False).to_numpy() if rows.any() else None


def is_large(values: pl.Series) -> bool:
    """Whether some number may be an integer that float64 rounds."""
    low, high = values.min(), values.max()
    return any(isinstance(end, float) and abs(end) >= EXACT for end in (low, high))


class Shows(NamedTuple):
    """What the first values of a text column show: a type, None without values; and whether it is quick.

    Polars can parse a quick column as numbers while reading it, judging by these values, if it knows how the
    file spells numbers: see `Format.parses`.
    """

    dtype: Any
    is_quick: bool


def shows(sample: pl.DataFrame, spelling: Spelling) -> dict[str, Shows]:
    """What text columns show: integers, numbers, true and false, lists or text.

    Digits after a leading zero are text, since 007 and 7 may be two names.
    """
    plain_columns = _plain(sample) if spelling == Spelling() else {}
    names = [name for name in sample.columns if name not in plain_columns]
    if not names:
        return plain_columns
    others = sample[names]
    tested = _tested(others, lambda name: _tests(name, spelling))
    return plain_columns | {
        name: _shown(others[name], spelling, *results) for name, results in tested.items()
    }


def _tested(sample: pl.DataFrame, tests_of: Callable[[str], list[pl.Expr]]) -> dict[str, tuple[bool, ...]]:
    """The results of the same tests on each column."""
    if not sample.width:
        return {}
    tests = [test for name in sample.columns for test in tests_of(name)]
    # One query for all tests: each query costs a millisecond, however few its rows.
    results = sample.select(test.alias(str(place)) for place, test in enumerate(tests)).row(0)
    size = len(tests) // sample.width
    return {name: results[i * size : (i + 1) * size] for i, name in enumerate(sample.columns)}


def _plain(sample: pl.DataFrame) -> dict[str, Shows]:
    """What columns of plain numbers, as Polars parses them, show: a shortcut for wide files."""

    def tests(name: str) -> list[pl.Expr]:
        value = pl.when(pl.col(name) != QUICK_NULL).then(pl.col(name))
        number = value.cast(pl.Float64, strict=False)
        return [
            # NaN may be a spelling of a missing number.
            (value.count() > 0) & (number.is_not_nan().sum() == value.count()),
            value.str.contains(_LEADING_ZERO).any(),
            value.str.contains(_WHOLE).all(),
        ]

    return {
        name: Shows(pl.String() if zeros else pl.Int64() if whole else pl.Float64(), True)
        for name, (plain, zeros, whole) in _tested(sample, tests).items()
        if plain
    }


def _tests(name: str, spelling: Spelling) -> list[pl.Expr]:
    """Tests of the values of a column, in the order of the arguments of `_shown`."""
    text = pl.col(name)
    plain, quick = spelling.stripped(text), spelling.with_point(pl.when(text != QUICK_NULL).then(text))
    return [
        plain.count() > 0,
        plain.str.contains(_LEADING_ZERO).any(),
        plain.str.to_lowercase().is_in(list(_TRUTH)).all(),
        spelling.numbers(text).count() == plain.count(),
        plain.str.contains(_WHOLE).all(),
        plain.str.contains(_WRITTEN).all(),
        plain.str.contains(_LIST).all(),
        quick.cast(pl.Float64, strict=False).count() == quick.count(),
    ]


def _shown(
    text: pl.Series,
    spelling: Spelling,
    has_values: bool,
    zeros: bool,
    truth: bool,
    numbers: bool,
    whole: bool,
    written: bool,
    listed: bool,
    quick: bool,
) -> Shows:
    dtype: Any = pl.String()
    if not has_values:
        dtype = None
    elif zeros:
        pass
    elif truth:
        dtype = pl.Boolean()
    elif numbers:
        dtype = pl.Int64() if whole else pl.Float64()
    elif written:
        dtype = pl.Float64()  # so that the role that needs them reports how to read them
    elif listed and parsed(text, pl.List(pl.Float64), spelling).wrong is None:
        dtype = pl.List(pl.Float64)
    return Shows(dtype, has_values and quick)


def remedy_for(values: Iterable[str]) -> str:
    """How to read text that is not a number, by an option or by rewriting it; empty if unknown."""
    words = [value.strip() for value in values]
    for pattern, remedy in _REMEDIES:
        if any(re.match(f"(?:{pattern})$" if pattern != "#" else pattern, word) for word in words):
            return remedy
    if words and all(re.fullmatch(r"[+-]?\d*,\d*", word) for word in words):
        if all(re.fullmatch(r"[+-]?\d{1,3},\d{3}", word) for word in words):
            return "--thousands , reads 1,234 as 1234, --decimal , as 1.234"
        return "--decimal , reads 196,8 as 196.8"
    if len(set(words)) == 1 and len(words[0]) <= SHOWN and not any(sign.isdigit() for sign in words[0]):
        return f"fix these rows, or --null-values {quote(join_names(words[:1]))} if it means a missing value"
    return ""
