"""Findings: what was found in the data or done to it, each with a code and its wordings.

`Code` is the only table of them.  Logic compares codes, never words.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, unique

from msgspec import Struct, field

from losscli.errors import EXAMPLES, Problem

Words = tuple[str, str]
"""A wording in the singular and in the plural; both may hold parameters in braces."""


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of finding.

    `meaning` explains it in a sentence.  `error` is its wording if it stops a run, `note` its wording if the
    run continues: singular and plural if it is counted.  `remedy` says how to fix it.  `is_listed` means that
    its examples are a part of the rows or values counted.
    """

    meaning: str
    error: Words | str | None = None
    note: Words | str | None = None
    remedy: str = ""
    is_listed: bool = True


@unique
class Code(Enum):
    """All kinds of findings; str() gives the code as reports have it: 'missing-value'."""

    # Alignment of files.
    UNMATCHED_PREDICTION = Kind(
        meaning="The key of a prediction is in no row of the targets.",
        error=("prediction without a target", "predictions without a target"),
        note=("prediction{of} without a target dropped", "predictions{of} without a target dropped"),
        remedy="--unmatched drop drops them",
    )
    UNMATCHED_TARGET = Kind(
        meaning="The key of a target is in no row of the predictions.",
        error=("target without a prediction", "targets without a prediction"),
        note=("target without a prediction{of} dropped", "targets without a prediction{of} dropped"),
        remedy="--unmatched drop drops them",
    )
    NO_KEY_MATCHES = Kind(
        meaning="No key of the predictions is among the keys of the targets.",
        error=("key matches none of the other file", "keys match none of the other file"),
        is_listed=False,
    )
    KEY_NOT_PLAIN = Kind(
        meaning="A key is text in one file and a number in the other, and the text is not its plain form.",
        error=("key that is not a plain whole number", "keys that are not plain whole numbers"),
        remedy="the other file has numbers: write the key alike in both, as text or as numbers",
    )
    DUPLICATE_KEY = Kind(
        meaning="An earlier row of the same file has the same key.",
        error=("row with a duplicate key", "rows with a duplicate key"),
        remedy="a key must be unique within a file; --on names more key columns",
    )
    DIFFERENT_ROW_COUNTS = Kind(
        meaning="Files without a key have different numbers of rows.",
        error="{counts} cannot be aligned by position",
        remedy="a key column in both files aligns them: --on COLUMN",
    )
    KEY_WITHOUT_ZONE = Kind(
        meaning="A key of timestamps has a time zone in one file only.",
        error="the key has a time zone in one file only",
        remedy="write both in UTC, with the zone",
    )
    INEXACT_KEY = Kind(
        meaning="A key of integers in one file and floats in the other is too large for float64.",
        error="the key holds integers in one file and floats in the other, too large to be exact as floats",
        remedy="write the key as integers, or as text, in both files",
    )
    MERGED = Kind(
        meaning="The report is merged from the states of several parts.",
        note="merged from {count} states",
    )
    KEYS_BY_PART = Kind(
        meaning="Parts were evaluated separately, so that a key may occur in several of them.",
        note="keys were only compared within each part",
    )
    SOURCES_UNKNOWN = Kind(
        meaning="Parts were read from URLs, pipes or memory, which have no digest to recognize rows by.",
        note=(
            "state is of a URL, a pipe or memory: whether another has its rows was not checked",
            "states are of URLs, pipes or memory: whether they share rows was not checked",
        ),
        is_listed=False,
    )
    UNMATCHED_IN_PART = Kind(
        meaning="The key of a row of a table of all parts is not in one of them; another may have it.",
        note=(
            "time a {what} had no match in a part, and may have one in another",
            "times a {what} had no match in a part, and may have one in another",
        ),
    )
    GROUPS_BY_PART = Kind(
        meaning="Parts were evaluated separately, so that a group in several of them counts as several.",
        note="groups were only formed within each part",
    )
    FILTERED_ROWS = Kind(
        meaning="Rows do not meet the condition of --where.",
        note=(
            "of {total} rows dropped by --where {condition}",
            "of {total} rows dropped by --where {condition}",
        ),
    )
    # Values that are missing or invalid.
    MISSING_VALUE = Kind(
        meaning="A value that the evaluation needs is empty, null or NaN.",
        error=("missing value", "missing values"),
        note=("row with missing values dropped", "rows with missing values dropped"),
        remedy="--missing drop drops these rows",
    )
    NOT_FINITE = Kind(
        meaning="A number is infinite.",
        error=("infinite value", "infinite values"),
        note="{kind}: first at row {row}{domain}",
        remedy="numbers must be finite",
    )
    OUTSIDE_DOMAIN = Kind(
        meaning="The loss of a row is not a finite number, such as a logarithm of a negative number.",
        error=("row outside the domain of {loss}{domain}", "rows outside the domain of {loss}{domain}"),
        note=(
            "row outside the domain of {loss}{domain} dropped",
            "rows outside the domain of {loss}{domain} dropped",
        ),
        remedy="--domain drop drops these rows",
    )
    REPLACED_VALUE = Kind(
        meaning="A loss replaces a number that it cannot take, such as a target of zero.",
        note=("row on which {loss} {what}", "rows on which {loss} {what}"),
    )
    OUT_OF_RANGE = Kind(
        meaning="A number is outside the range that its column allows.",
        error=("value that is not {range}", "values that are not {range}"),
        remedy="write {range}, and finite",
    )
    WRONG_LENGTH = Kind(
        meaning="A list has more or fewer numbers than the other lists of its column.",
        error=("list that does not have {width} numbers", "lists that do not have {width} numbers"),
        remedy="every row needs the same number of values as the first",
    )
    # Labels.
    NO_LABELS = Kind(
        meaning="The target of a binary task has no labels.",
        error="no labels",
        remedy="a binary task needs rows with two labels",
    )
    TOO_MANY_LABELS = Kind(
        meaning="The target of a binary task has more than two labels.",
        error="more than two labels in a binary task: {labels}",
        remedy="--task multiclass accepts more than two, --ignore-label drops one",
    )
    IMPOSSIBLE_CLASSES = Kind(
        meaning="None of the classes can be a label, because of the type of the labels.",
        error="labels are {kind}, but the classes are {classes}",
        remedy="name the label column with -y, and the classes as written there with --classes",
    )
    NOT_BINARY_LABEL = Kind(
        meaning="A label of a binary task is neither of the two classes.",
        error=(
            "label that is neither {negative} nor {positive}",
            "labels that are neither {negative} nor {positive}",
        ),
        remedy="a binary task has two labels; --ignore-label drops one, --task multiclass takes more",
    )
    NEGATIVE_LABEL = Kind(
        meaning="A label is -1, but a chosen loss needs 0 and 1.",
        error=(
            "label of -1, but a chosen loss needs 0 and 1",
            "labels of -1, but a chosen loss needs 0 and 1",
        ),
        remedy="--positive 1 makes -1 the other class",
    )
    UNKNOWN_LABEL = Kind(
        meaning="A label of a multiclass task is not one of the classes.",
        error=(
            "{kind} outside the {count} classes ({names})",
            "{kind}s outside the {count} classes ({names})",
        ),
        remedy="name all classes with --classes, or drop a label with --ignore-label",
    )
    SOFT_LABEL = Kind(
        meaning="A label is a probability, but a chosen loss needs a class.",
        error=(
            "soft label, but a chosen loss needs {needed}",
            "soft labels, but a chosen loss needs {needed}",
        ),
        remedy="choose losses that take soft labels (log_loss, focal, brier)",
    )
    IGNORED_LABEL = Kind(
        meaning="The target has the label of --ignore-label; a count of 0 means that no row has it.",
        note=("row with the ignored label {label} dropped", "rows with the ignored label {label} dropped"),
    )
    # Probabilities.
    PROBABILITY_OUT_OF_RANGE = Kind(
        meaning="A probability is below 0, above 1 or infinite.",
        error=("{side}probability outside {range}", "{side}probabilities outside {range}"),
        remedy="if these are logits, add --from-logits; if labels, --task multiclass",
    )
    POSITIVE_LOG_PROBABILITY = Kind(
        meaning="The logarithm of a probability is above 0.",
        error=("log-probability above 0", "log-probabilities above 0"),
        remedy="--from-logits takes logits",
    )
    PROBABILITIES_NOT_ONE = Kind(
        meaning="The probabilities of a row do not sum to one.",
        error=(
            "row whose {side}probabilities do not sum to one",
            "rows whose {side}probabilities do not sum to one",
        ),
        note=(
            "row whose {side}probabilities do not sum to one, used as {library} does",
            "rows whose {side}probabilities do not sum to one, used as {library} does",
        ),
        remedy="--normalize rescales them",
    )
    PERCENTAGES = Kind(
        meaning="The probabilities of a row sum to 100.",
        error=("row of percentages, which sum to 100", "rows of percentages, which sum to 100"),
        remedy="divide them by 100; --normalize does it too",
    )
    ROUNDED_PROBABILITY = Kind(
        meaning="A probability is outside [0, 1] by no more than rounding explains.",
        note=(
            "row with a probability outside [0, 1] by rounding, which counts as 0 or 1",
            "rows with a probability outside [0, 1] by rounding, which counts as 0 or 1",
        ),
    )
    ROUNDED_SUM = Kind(
        meaning="The probabilities of a row sum to one within the digits to which they are printed.",
        note=(
            "row of probabilities that sum to one within their {decimals} decimals, used as they are",
            "rows of probabilities that sum to one within their {decimals} decimals, used as they are",
        ),
    )
    RESCALED_PROBABILITIES = Kind(
        meaning="--normalize divided the probabilities of a row by their sum.",
        note=("row of probabilities rescaled to sum to one", "rows of probabilities rescaled to sum to one"),
    )
    CLIPPED_PROBABILITY = Kind(
        meaning="A probability of 0 or 1 under a logarithm was clipped.",
        note=(
            "probability clipped at {eps} under a logarithm ({how})",
            "probabilities clipped at {eps} under a logarithm ({how})",
        ),
    )
    INVALID_AMOUNT = Kind(
        meaning="An amount is negative or infinite.",
        error=("amount below 0 or infinite", "amounts below 0 or infinite"),
        remedy="an amount is a number >= 0",
    )
    # Bounds and quantiles.
    SWAPPED_BOUNDS = Kind(
        meaning="The lower bound of an interval is greater than its upper bound.",
        error=("lower bound greater than its upper bound", "lower bounds greater than upper bounds"),
        remedy="are the columns swapped? -p LOWER,UPPER names them",
    )
    EMPTY_RANGE = Kind(
        meaning="The lower end of a distribution's range is not below the upper one.",
        error=("{low} that is not below its {high}", "rows whose {low} is not below their {high}"),
        remedy="are the columns swapped? -p {order} names them",
    )
    TOO_MANY_DRAWS = Kind(
        meaning="There are more draws than successes and failures to draw from.",
        error=("row with more draws than m + n", "rows with more draws than m + n"),
        remedy="m counts the successes, n the failures, k the draws",
    )
    NO_MEMBER_WEIGHT = Kind(
        meaning="All members of an ensemble have weight zero.",
        error=("row in which no member has a weight", "rows in which no member has a weight"),
        remedy="give at least one member of each row a weight above zero",
    )
    CROSSING_QUANTILES = Kind(
        meaning="A quantile of a row is below one of a lower level.",
        note=("row with crossing quantiles", "rows with crossing quantiles"),
    )
    # Weights.
    NEGATIVE_WEIGHT = Kind(
        meaning="A weight is negative.",
        error=("negative weight", "negative weights"),
        remedy="a weight is a number >= 0",
    )
    INFINITE_WEIGHT = Kind(
        meaning="A weight is infinite.",
        error=("infinite weight", "infinite weights"),
        remedy="a weight is a number >= 0",
    )
    EXTREME_WEIGHT = Kind(
        meaning="A weight is too large or too small compared with the weights of the first rows.",
        error=(
            "weight too large or too small compared with those of the first rows",
            "weights too large or too small compared with those of the first rows",
        ),
        remedy="weights may span 200 orders of magnitude: rescale them",
    )
    ZERO_WEIGHT = Kind(
        meaning="A row of weight zero has no influence and is not counted.",
        note=("row with weight zero dropped", "rows with weight zero dropped"),
    )
    ZERO_WEIGHT_COUNTED = Kind(
        meaning="A row of weight zero counts in a mean that divides by the number of rows.",
        note=("row with weight zero counted as zero loss", "rows with weight zero counted as zero loss"),
    )
    # Groups.
    WEIGHT_IN_GROUP = Kind(
        meaning="A row has another weight than the first row of its group.",
        error=("weight that differs within a group", "weights that differ within a group"),
        remedy="weights are per group: write the same in each of its rows",
    )
    SPLIT_GROUP = Kind(
        meaning="A row is in another slice or cluster than the first row of its group.",
        error=(
            "row in another {kind} by {by} than the first of its group",
            "rows in another {kind} by {by} than the first of their group",
        ),
        remedy="a {kind} takes whole groups: choose a column that is the same in all rows of a group",
    )
    NEGATIVE_RELEVANCE = Kind(
        meaning="A relevance of -1 counts as not relevant, as a parameter of the loss asks.",
        note=(
            "item of relevance -1 counted as not relevant",
            "items of relevance -1 counted as not relevant",
        ),
    )
    NO_RELEVANT_ITEM = Kind(
        meaning="No item of a group is relevant, so that its loss is undefined or zero.",
        note=("group without a relevant item", "groups without a relevant item"),
    )
    # Files.
    NO_SUCH_FILE = Kind(
        meaning="A file does not exist.",
        error="no such file",
        remedy="check the path",
    )
    NO_MATCHING_FILE = Kind(
        meaning="No file matches a pattern.",
        error="no file matches this pattern",
        remedy="check the pattern",
    )
    NO_SUCH_BUCKET = Kind(
        meaning="The bucket of a URL does not exist.",
        error="no such bucket",
        remedy="check the address",
    )
    ACCESS_DENIED = Kind(
        meaning="An object store denies access to a URL.",
        error="access denied",
        remedy="set the credentials in the environment",
    )
    EMPTY_FOLDER = Kind(
        meaning="A folder has no files.",
        error="folder without files",
        remedy="check the path",
    )
    NESTED_FOLDER = Kind(
        meaning="A folder of files has a subfolder that is not named key=value.",
        error="a subfolder that is not named key=value: {name}",
        remedy="name the files by a pattern, such as 'folder/**/*.parquet'",
    )
    MIXED_FORMATS = Kind(
        meaning="The files of one table have different formats.",
        error="files of different formats: {formats}",
        remedy="name the files of one format",
    )
    UNSUPPORTED_FORMAT = Kind(
        meaning="The format of a file is unknown, not supported, or not that of its suffix.",
        error="{what}",
        remedy="--input-format names the format",
    )
    ROWS_LOST = Kind(
        meaning="A file holds more or fewer rows than could be read from it.",
        error="it says that it holds {held}, and {read} could be read",
        remedy="the file is damaged: write it again",
    )
    SHORTENED_FILE = Kind(
        meaning="Another program truncated a file while it was read.",
        error="became shorter while it was read",
        remedy="write files under another name, and rename them",
    )
    UNREADABLE_FILE = Kind(
        meaning="A file cannot be opened or decoded.",
        error="cannot be read: {reason}",
        remedy="is the file complete?",
    )
    UNWRITABLE_FILE = Kind(
        meaning="An output file cannot be written.",
        error="cannot be written: {reason}",
    )
    EMPTY_FILE = Kind(
        meaning="A file is empty or blank.",
        error="empty file",
        remedy="it needs a header and rows",
    )
    EMPTY_TABLE = Kind(
        meaning="A file has a header without rows, or an array has length 0.",
        error="no rows, only a header",
        remedy="write rows",
    )
    DAMAGED_FILE = Kind(
        meaning="A file ends early or holds bytes that cannot be decoded.",
        error="incomplete or damaged {kind}: {reason}",
        remedy="write it again",
    )
    WRONG_ENCODING = Kind(
        meaning="A text file is not encoded in UTF-8.",
        error="not UTF-8",
        remedy="convert it: iconv -f latin1 -t utf-8",
    )
    DIFFERENT_COLUMNS = Kind(
        meaning="A file has other columns than the first file of the same table.",
        error="columns differ from those of {first}: {differences}",
        remedy="name files with the same columns",
    )
    DIFFERENT_FOLDERS = Kind(
        meaning="A file is in other key=value folders than the first file of the same table.",
        error="key=value folders differ from those of the first file ({keys})",
        remedy="name files with the same folders",
    )
    DUPLICATE_COLUMN = Kind(
        meaning="Several columns of a file that are used have the same name.",
        error="several columns are named {names}",
        remedy="rename them",
    )
    WRONG_SEPARATOR = Kind(
        meaning="The only column of a text file has a common separator in its name.",
        error="one column, {name}: is {separator} the separator?",
        remedy="--separator names it",
    )
    STRAY_QUOTE = Kind(
        meaning="A quote in delimited text neither opens nor closes a field, so that rows could vanish.",
        error="{row}: a quote {quote} neither opens nor closes a field",
        remedy="--quote none if quotes are plain characters; else double the quotes within a field",
    )
    NO_HEADER = Kind(
        meaning="The first line of delimited text looks like a row, not like a header.",
        error="the first line looks like a row, not like a header",
        remedy="--no-header if there is none, naming columns by position: column_1; --header if it is one",
    )
    COMMENT_LINES = Kind(
        meaning="The first line of delimited text begins with # and is no header.",
        error="the first line looks like a comment, not like a header",
        remedy="--comment '#' skips lines that begin with #; --header if it is the header",
    )
    WRONG_TYPE = Kind(
        meaning="A column has a type that cannot be read as numbers.",
        error="values of type {type}, but numbers are needed",
        remedy="write the column as numbers",
    )
    INVALID_ARRAY = Kind(
        meaning="Data in memory, or in a NumPy file, cannot be read as columns.",
        error="{what}",
        remedy="numbers or labels (n,), or numbers (n, k)",
    )
    WRONG_FIELD_COUNT = Kind(
        meaning="A row of a text file has more or fewer fields than its header.",
        error=("row that does not have the header's {fields}", "rows that do not have the header's {fields}"),
        remedy="quote fields that hold the separator, delete blank lines",
    )
    NOT_A_NUMBER = Kind(
        meaning="A value is text, but a number is needed.",
        error=("value that is not {kind}", "values that are not {kind}"),
        remedy="fix these rows",
    )
    NOT_A_DATE = Kind(
        meaning="A value is text that is not an ISO 8601 date, but a slice by time needs one.",
        error=("value that is not a date", "values that are not dates"),
        remedy="write dates as 2024-03-31, times as 2024-03-31T23:59; missing ones are left empty",
    )
    DATE_OUT_OF_RANGE = Kind(
        meaning="A date is outside of the years 1 to 9999, so that a slice by it has no label.",
        error=("date outside of the years 1 to 9999", "dates outside of the years 1 to 9999"),
        remedy="a date that stands for a missing one is left empty",
    )
    DISJOINT_LABELS = Kind(
        meaning="No predicted label is among the labels of the targets.",
        error=(
            "predicted label that is none of the targets",
            "predicted labels, none of which is among the targets",
        ),
        remedy="write the labels alike, or list the classes: --classes A,B; -p names another column",
        is_listed=False,
    )
    INEXACT_NUMBER = Kind(
        meaning="A whole number is so large that float64 would round it.",
        error=(
            "whole number that float64 would round",
            "whole numbers that float64 would round",
        ),
        remedy="subtract the same offset from predictions and targets, or scale both",
    )
    INVALID_JSON_LINE = Kind(
        meaning="A line of an NDJSON file is not a JSON object.",
        error=("line that is not a JSON object", "lines that are not a JSON object"),
        remedy="write one object per line, and null for a missing number",
    )
    # Values without an interval, and intervals that are unreliable.
    NO_CLASS_WEIGHT = Kind(
        meaning="The class has weight zero, so that none of its rows counts.",
        note="the class has weight zero",
    )
    NO_ROWS = Kind(
        meaning="No row is left to evaluate, overall or in a cell.",
        error="no rows are left to evaluate",
        note="no rows",
    )
    UNDEFINED_VALUE = Kind(
        meaning="The loss is not defined on these rows.",
        note="undefined: {reason}",
    )
    SUM_OVERFLOW = Kind(
        meaning="The sum of the row losses exceeds the largest float64.",
        note="the sum exceeds the largest float",
    )
    ONE_UNIT = Kind(
        meaning="One row or one cluster has no variance.",
        note="no interval: one {unit}",
    )
    FEW_UNITS = Kind(
        meaning="The interval is approximate because there are few rows or clusters.",
        note="interval unreliable: fewer than {few} {unit}s",
    )
    ZERO_VARIANCE = Kind(
        meaning="All rows or clusters have the same loss, so that the interval has no width.",
        note="zero variance: all {unit}s have the same loss, so the interval has no width",
    )
    ZERO_DIVISION = Kind(
        meaning="No row is in the denominator of a rate, which counts as 0 or 1: `--zero-division`.",
        note="0 / 0 counts as {number} (zero_division={choice})",
    )
    NO_INFLUENCE = Kind(
        meaning="No row or cluster changes the value of a loss of order, so that the interval has no width.",
        note="zero variance: no {unit} changes the value, so the interval has no width",
    )
    DOMINANT_UNIT = Kind(
        meaning="One row or cluster makes up most of the variance.",
        note="interval unreliable: one {unit} dominates the variance",
    )
    INFINITE_VARIANCE = Kind(
        meaning="The variance between rows or clusters exceeds the largest float64.",
        note="no interval: the variance between {unit}s is not finite",
    )
    TOO_MANY_COLUMNS = Kind(
        meaning="The loss has too many columns to keep their covariance.",
        note="no interval: too many columns",
    )
    OPEN_INTERVAL = Kind(
        meaning="So few rows or clusters lie beyond a quantile that its interval has no end there.",
        note="no interval: too few {unit}s lie beyond this quantile",
    )
    NO_INTERVAL = Kind(
        meaning="The standard error of the loss is not known.",
        note="no interval: the standard error of this loss is not known",
    )
    FIRST_ORDER = Kind(
        meaning="The loss has too many columns to keep their third moments.",
        note="interval not corrected for skewness: many columns",
    )
    # The bootstrap.
    TOO_MANY_VALUES = Kind(
        meaning="Columns have too many values to be searched by --by auto: they identify rows.",
        note="not searched, more than {most} values: {columns}",
    )
    SEGMENTS_SEARCHED = Kind(
        meaning="The segments that `losscli weak` searched; its p-values are adjusted for all of them.",
        note="searched {count} segments of {least} rows or more by {columns}; p-values are adjusted for all "
        "of them (Benjamini-Hochberg)",
    )
    NO_WEAK_SEGMENT = Kind(
        meaning="No segment is worse than the rest of the rows beyond noise.",
        note="no segment is worse than the rest beyond noise",
    )
    NO_LARGE_SEGMENT = Kind(
        meaning="`losscli weak` searched no segment: none has enough rows, both inside and outside.",
        note="no segment was searched, since none has {least} rows inside and outside; lower --min-n",
    )
    FOLDED_SEGMENTS = Kind(
        meaning="Segments that others with some of their rows explain are not listed.",
        note="not listed: {count} more, which those above explain",
    )
    MORE_SEGMENTS = Kind(
        meaning="More segments are worse than can be distinguished in a few passes.",
        note="not listed: {count} more, which are less certain",
    )
    FIRST_LOSS_ALONE = Kind(
        meaning="Segments are those of the first of several losses.",
        note="segments are those of {loss}, the first of the losses",
    )
    BASELINE_MISSING = Kind(
        meaning="The baseline is missing, and `--baseline-missing skip` skips the gates that refer to it.",
        note="no baseline yet: {place}",
    )
    EMPTY_TIMES = Kind(
        meaning="A slice by time has hours, days, ... without rows between its first and its last one.",
        note="{column}: no rows in {units}",
    )
    RESAMPLED = Kind(
        meaning="Intervals are those of a bootstrap: `--ci-method bootstrap`.",
        note="intervals by the Poisson bootstrap: {replicates} replicates, seed {seed}",
    )
    ALIKE_REPLICATES = Kind(
        meaning="The value is the same in all replicates of a bootstrap, which shows no noise.",
        note="analytic interval: in all replicates of the {unit}s the value is the same",
    )
    FEW_TO_RESAMPLE = Kind(
        meaning="There are too few rows or clusters for a bootstrap.",
        note="analytic interval: fewer than {few} {unit}s to resample",
    )
    UNDEFINED_REPLICATES = Kind(
        meaning="The loss has no value in some replicates of a bootstrap, as without a positive row.",
        note="{count} of {all} replicates have no value, and are left out of the interval",
    )
    MOSTLY_UNDEFINED = Kind(
        meaning="The loss has no value in most replicates of a bootstrap.",
        note="no interval: {count} of {all} replicates have no value",
    )
    BEYOND_REPLICATES = Kind(
        meaning="The interval reaches beyond the outermost replicates of a bootstrap.",
        note="the interval reaches beyond {all} replicates, where a normal tail is assumed",
        remedy="--replicates sets their number",
    )
    NOT_RESAMPLED = Kind(
        meaning="A bootstrap of this many cells would need too much memory.",
        note="no interval: too many cells for a bootstrap",
        remedy="fewer --replicates, fewer slices, or --ci-method analytic",
    )
    APPROXIMATE = Kind(
        meaning="Values of --approximate differ from the exact ones by at most this error.",
        note="approximate, within {error}",
    )
    MAXIMUM = Kind(
        meaning="The value is a maximum, for which no interval is known.",
        note="{place}a maximum has no interval",
    )
    # How the evaluation was set up.
    CLUSTERS = Kind(
        meaning="Intervals are clustered: `--cluster`.",
        note="intervals are clustered by {column}: {number} {noun}",
    )
    RANDOM_GROUPS = Kind(
        meaning="Clusters were merged into random groups to bound the memory.",
        note="intervals are clustered by {column}: {number} random groups of its more than {most} clusters",
    )
    CLASSES_FROM_LABELS = Kind(
        meaning="Without --classes, the classes are the labels in the files.",
        note="the {count} classes are the labels in the files; --classes sets them",
    )
    CLASSES_FROM_POSITIONS = Kind(
        meaning="Without --classes and names, the classes are the positions of the probabilities.",
        note="the classes are the positions {place}, from 0; --classes names them",
    )
    ROWS_COUNT_GROUPS = Kind(
        meaning="The loss has a value per group, so that the column rows counts groups.",
        note="the column rows counts groups of {column}",
    )
    ONE_GROUP = Kind(
        meaning="The loss compares rows with each other, and no column says which rows belong together.",
        note="all rows are one group, which has no interval; --group COLUMN names groups",
    )
    VARIANCE_COLUMN = Kind(
        meaning="A column holds variances, according to its name or the library of --like.",
        note="column {column} holds variances: {field} is their root",
    )
    CONVENTION = Kind(
        meaning="A convention of the library of --like applies.",
        note="{text}",
    )
    NOT_RUN = Kind(
        meaning="A loss in a file is code, which checks and dry runs do not execute.",
        note="{loss} is code and was not run: its task and its parameters are not checked",
    )
    RANKED_BY = Kind(
        meaning="A leaderboard is ranked by its first loss.",
        note="ranked by {loss}; the other losses are in the JSON report",
    )
    TIES_LIMITED = Kind(
        meaning="Ties are tested among the best submissions only.",
        note="ties are tested among the best {most} submissions only",
    )
    NO_SHARES = Kind(
        meaning="The total loss is negative, zero or infinite, so that rows have no share of it.",
        note="rows have no share of the loss, which is {reason}",
    )
    # Charts.
    BEYOND_CHART = Kind(
        meaning="A chart shows the range of nearly all rows, and these are outside of it.",
        note="{count} {noun} ({share}) {verb} outside the plotted range: {extents}",
    )
    INFINITE_IN_CHART = Kind(
        meaning="Rows with an infinite loss are in no bin of a chart.",
        note="{count} {noun} {verb} an infinite loss, which is not plotted",
    )
    SAMPLED_CHART = Kind(
        meaning="Charts count the first rows of a run one by one, and take a sample of later ones.",
        note="estimated from {count} rows: the first {every}, then one in {rate}, drawn at random{also}",
    )
    # Baselines.
    INDEPENDENT_BASELINE = Kind(
        meaning="A saved report has no rows to pair, so that the variances of both reports add up.",
        note="baseline treated as an independent sample; its variance is added",
    )
    BASELINE_TARGETS = Kind(
        meaning="The baseline was evaluated on other targets.",
        note="the baseline has other targets: a difference may come from the data too",
    )
    BASELINE_ALIGNMENT = Kind(
        meaning="The baseline was aligned in another way.",
        note="the baseline was aligned in another way",
    )
    BASELINE_CLIP = Kind(
        meaning="The baseline clips probabilities at another value.",
        note="the baseline clips probabilities at another value",
    )
    BASELINE_INTERVALS = Kind(
        meaning="The intervals of the baseline were made by another method.",
        note="the intervals of the baseline are made by another method, or from other replicates",
    )
    BASELINE_PROVENANCE = Kind(
        meaning="The baseline does not record its options.",
        note="the baseline does not record its options, so its numbers may not be comparable",
    )
    BASELINE_VERSION = Kind(
        meaning="The baseline was made by another version of losscli.",
        note="the baseline was made by losscli {base}, this report by {now}",
    )

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def is_error(self) -> bool:
        """Whether it stops a run, unless an option accepts it."""
        return self.value.error is not None


class Note(Struct, frozen=True):
    """A finding as a report shows it.

    `code` names its kind and stays the same whatever the wording of `text`.  `count` is how often it
    occurred, None if it is not counted.  `where` is the file and the columns, None if it is about the whole
    run, and `examples` are the first rows.
    """

    code: str
    text: str
    count: int | None = None
    where: str | None = None
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def note(code: Code, **params: object) -> Note:
    """A note without a count."""
    words = code.value.note
    assert isinstance(words, str)
    return Note(str(code), words.format(**params))


def problem(
    code: Code,
    where: str = "",
    *,
    remedy: str | None = None,
    examples: Iterable[str] = (),
    **params: object,
) -> Problem:
    """A problem without a count; `remedy` overrides that of its kind."""
    words = code.value.error
    assert isinstance(words, str)
    remedy = code.value.remedy if remedy is None else remedy
    return Problem(words.format(**params), where, remedy, tuple(examples), str(code))


class Tally(Struct):
    """The number of occurrences of a finding, with the first examples."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the counts and examples of a later tally."""
        self.count += other.count
        self.examples = [*self.examples, *other.examples][:EXAMPLES]


class Finding(Struct, frozen=True):
    """A kind of finding in one location, with the parameters of its wording; a `Tally` counts it."""

    code: Code
    where: str = ""
    fatal: bool = True
    remedy: str = ""
    params: tuple[tuple[str, str], ...] = ()

    def words(self, count: int) -> str:
        """'3 missing values', '1 missing value'."""
        kind = self.code.value
        words = kind.error if self.fatal else kind.note
        assert isinstance(words, tuple)
        return f"{count} {words[count != 1].format(**dict(self.params))}"

    def problem(self, tally: Tally) -> Problem:
        """The problem for an error message."""
        more = tally.count - len(tally.examples) if self.code.value.is_listed else 0
        examples = (*tally.examples, *((f"... and {more} more",) if more > 0 else ()))
        return Problem(self.words(tally.count), self.where, self.remedy, examples, str(self.code))

    def note(self, tally: Tally) -> Note:
        """The note for a report."""
        text = self.words(tally.count) + (f", e.g. {tally.examples[0]}" if tally.examples else "")
        return Note(str(self.code), text, tally.count, self.where or None, tuple(tally.examples))


class Counted(Struct, frozen=True):
    """A finding and its tally as plain data: in saved states, and in the answers of tasks."""

    code: str
    where: str
    fatal: bool
    remedy: str
    params: tuple[tuple[str, str], ...]
    count: int
    examples: tuple[str, ...]

    @classmethod
    def of(cls, finding: Finding, tally: Tally) -> Counted:
        """The finding as plain data."""
        fields = (str(finding.code), finding.where, finding.fatal, finding.remedy, finding.params)
        return cls(*fields, tally.count, tuple(tally.examples))

    def read(self) -> tuple[Finding, Tally]:
        """The finding and its tally.  Raises KeyError for an unknown code or missing parameters."""
        code = Code[self.code.upper().replace("-", "_")]
        finding = Finding(code, self.where, self.fatal, self.remedy, self.params)
        finding.words(self.count)
        return finding, Tally(self.count, list(self.examples))


def finding(
    code: Code, where: str = "", *, fatal: bool | None = None, remedy: str | None = None, **params: object
) -> Finding:
    """A finding of a kind; `fatal` and `remedy` override those of its kind."""
    if fatal is None:
        fatal = code.is_error
    texts = {name: str(value) for name, value in params.items()}
    remedy = code.value.remedy.format(**texts) if remedy is None else remedy
    return Finding(code, where, fatal, remedy if fatal else "", tuple(texts.items()))
