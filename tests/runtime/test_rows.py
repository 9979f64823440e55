"""Tables as people have them: what is read, by `run` and by `evaluate`; what may mean two things is said."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from qingzhou.errors import DataError, InputError, language, use_language
from qingzhou.evaluate.data import read_data
from qingzhou.evaluate.tables import read_csv
from qingzhou.runtime.model.tables import read_numbers, read_table

X = [[5.1, 3.5, 1.4, 0.25], [6.3, 3.0, 6.0, 2.5]]
PLAIN = "5.1,3.5,1.4,0.25\n6.3,3.0,6.0,2.5\n"
SEMICOLONS = "5,1;3,5;1,4;0,25\n6,3;3,0;6,0;2,5\n"
NUMPY = "5.100000000000000000e+00 3.5e+00 1.4e+00 2.5e-01\n6.3e0 3.0E0 6.0e+00 2.500e+00\n"

SAME = {
    "without a header": PLAIN,
    "pandas, columns without names": "0,1,2,3\n" + PLAIN,
    "pandas with its index": ",0,1,2,3\n0,5.1,3.5,1.4,0.25\n1,6.3,3.0,6.0,2.5\n",
    "pandas read and written again": "Unnamed: 0,a,b,c,d\n0,5.1,3.5,1.4,0.25\n1,6.3,3.0,6.0,2.5\n",
    "pandas after a shuffle": ",a,b,c,d\n141,5.1,3.5,1.4,0.25\n7,6.3,3.0,6.0,2.5\n",
    "R's write.csv": '"","a","b","c","d"\n"1",5.1,3.5,1.4,0.25\n"2",6.3,3,6,2.5\n',
    "R's write.table": '"a" "b" "c" "d"\n"1" 5.1 3.5 1.4 0.25\n"2" 6.3 3 6 2.5\n',
    "names": "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)\n" + PLAIN,
    "numpy.savetxt": NUMPY,
    "numpy.savetxt with a header": "# a b c d\n" + NUMPY,
    "spaces of several widths": "  5.1   3.5 1.4   0.25 \n  6.3   3.0 6.0   2.5\n",
    "commas and spaces": "5.1, 3.5, 1.4, 0.25\n6.3, 3.0, 6.0, 2.5\n",
    "commas of a Chinese keyboard": PLAIN.replace(",", "，"),
    "tabs": PLAIN.replace(",", "\t"),
    "semicolons": PLAIN.replace(",", ";"),
    "decimal commas": SEMICOLONS,
    "decimal commas below names": "a;b;c;d\n" + SEMICOLONS,
    "decimal commas and tabs": SEMICOLONS.replace(";", "\t"),
    "decimal commas and spaces": SEMICOLONS.replace(";", " "),
    "decimal commas in quotes": '"5,1","3,5","1,4","0,25"\n"6,3","3,0","6,0","2,5"\n',
    "Excel's sep": "sep=;\n" + SEMICOLONS,
    "every line ends in the separator": "5.1,3.5,1.4,0.25,\n6.3,3.0,6.0,2.5,\n",
    "quotes": '"a","b","c","d"\n"5.1","3.5","1.4","0.25"\n"6.3","3.0","6.0","2.5"\n',
    "blank lines and rows": "\n\na,b,c,d\n\n" + PLAIN + ",,,\n\n",
    "comments": "# measured on Monday\n" + PLAIN + "# end\n",
    "Windows' line ends": PLAIN.replace("\n", "\r\n"),
    "old Macs' line ends": PLAIN.replace("\n", "\r"),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_two_rows(name: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(SAME[name].encode())
    assert read_table(tmp_path / "t.csv").tolist() == np.float32(X).tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be-mark"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    text = ("\ufeff" if encoding.endswith("mark") else "") + "长,宽,高,深\n" + PLAIN
    if encoding == "utf-16-le":
        text = "a,b,c,d\n" + PLAIN
    (tmp_path / "t.csv").write_bytes(text.encode(encoding.removesuffix("-mark")))
    assert read_table(tmp_path / "t.csv").tolist() == np.float32(X).tolist()


ANSWERED = {
    "pandas, columns without names": "0,1,2,3,4\n5.1,3.5,1.4,0.25,0\n6.3,3.0,6.0,2.5,2\n",
    "pandas, with a named answer": "0,1,2,3,label\n5.1,3.5,1.4,0.25,0\n6.3,3.0,6.0,2.5,2\n",
    "numbers from 1, with a named answer": "1,2,3,4,label\n5.1,3.5,1.4,0.25,0\n6.3,3.0,6.0,2.5,2\n",
    "pandas, answers are names": "0,1,2,3,label\n5.1,3.5,1.4,0.25,paper\n6.3,3.0,6.0,2.5,rock\n",
    "names without a header": "5.1,3.5,1.4,0.25,paper\n6.3,3.0,6.0,2.5,rock\n",
    "spaces": "5.1 3.5 1.4 0.25 0\n6.3 3.0 6.0 2.5 2\n",
    "decimal commas": "a;b;c;d;answer\n5,1;3,5;1,4;0,25;paper\n6,3;3,0;6,0;2,5;rock\n",
    "names with commas": 'a,b,c,d,answer\n5.1,3.5,1.4,0.25,"paper, white"\n6.3,3.0,6.0,2.5,"rock, grey"\n',
}


@pytest.mark.parametrize("name", ANSWERED)
def test_the_same_two_answers(name: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(ANSWERED[name], "utf-8")
    found = read_csv(tmp_path / "t.csv")
    cases = list(found.cases())
    assert [case.data for case in cases] == X and not found.notes
    wanted = ["paper", "rock"] if "paper" in ANSWERED[name] else [0, 2]
    assert [str(case.truth).partition(",")[0] for case in cases] == [str(one) for one in wanted]


def test_a_number_has_no_underscores(tmp_path: Path) -> None:
    """Python takes 5_1 for 51; a name such as 1_0 is no number either."""
    (tmp_path / "t.csv").write_text("a,b,c\n1,2,0_1\n3,4,1_0\n", "utf-8")
    assert [case.truth for case in read_csv(tmp_path / "t.csv").cases()] == ["0_1", "1_0"]
    (tmp_path / "t.csv").write_text("1,2\n5_1,3\n", "utf-8")
    with pytest.raises(InputError, match="5_1"):
        read_table(tmp_path / "t.csv")


def test_the_index_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Unnamed: 0,a,b,answer\n0,1,2,x\n1,3,4,y\n", "utf-8")
    before = language()
    use_language("en")
    found = read_csv(tmp_path / "t.csv")
    use_language(before)
    assert [case.data for case in found.cases()] == [[1, 2], [3, 4]] and "Unnamed: 0" in found.notes[0]


def test_a_model_that_was_trained_with_the_index_takes_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",a,b\n0,1,2\n1,3,4\n", "utf-8")
    assert read_table(tmp_path / "t.csv").tolist() == [[1, 2], [3, 4]]
    assert read_table(tmp_path / "t.csv", columns=3).tolist() == [[0, 1, 2], [1, 3, 4]]


DATA = {  # what is no header, and how many rows that makes
    "0,1,2,3\n": 1,
    "0,1,1\n1,0,1\n": 2,
    "0,0\n0,1\n": 2,
    "1,2\n3,4\n": 2,
    "1,2,3\n4,5,6\n": 2,
    "1,2,3,4\n4,3,2,1\n": 2,
    "2,1,0\n0.5,1,2\n": 2,
    "0.0,1.0,2.0\n1.5,2.5,3.5\n": 2,
    "3\n4\n": 2,
}


@pytest.mark.parametrize("text", DATA)
def test_rows_that_are_no_header(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    assert len(read_table(tmp_path / "t.csv")) == DATA[text]


def test_the_numbers_of_many_columns_are_a_header(tmp_path: Path) -> None:
    """Eight by eight pixels, whole numbers all."""
    rows = [",".join(str(i * j % 17) for i in range(64)) for j in (1, 2, 3)]
    (tmp_path / "t.csv").write_text(",".join(map(str, range(64))) + "\n" + "\n".join(rows))
    assert read_table(tmp_path / "t.csv").shape == (3, 64)


REFUSED = {
    "windows of a series": ("0,1,2\n1,2,3\n2,3,4\n", "Line 1 .* 0,1,2, may name the columns"),
    "bits": ("0,1\n1,0\n1,1\n", "Line 1 .* 0,1, may"),
    "one column": ("0\n5\n7\n", "Line 1 .* 0, may"),
    "counted from 1": ("1,2,3,4\n" + PLAIN, "Line 1 .* 1,2,3,4, may"),
    "thousands": ("1,234;2,345\n3,456;4,567\n", "Line 1 .* 1,234, whose comma"),
    "points and commas": ("1.5;2,5\n", "whose comma"),
    "a word in the first row": ("5.1,abc,1.4,0.25\n" + PLAIN, "Line 1 .*'abc'"),
    "a gap in the first row": ("5.1,,1.4,0.25\n" + PLAIN, "Line 1 .*''"),
    "a gap below the index": (",a,b\n0,1,2\n1,,4\n", "Line 3 .*''"),
    "not a text": ("\0\1\2", "no table of text"),
}


@pytest.mark.parametrize("first", ["[Content_Types].xml", "docProps/app.xml", "xl/workbook.xml", "mimetype", ""])
def test_workbooks_are_called_so(first: str, tmp_path: Path) -> None:
    """Whatever the file is called; the last is one of Excel's before 2007."""
    file = tmp_path / "t.xlsx"
    file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    if first:
        with ZipFile(file, "w") as archive:
            archive.writestr(first, "x")
    for read in (read_table, read_numbers, read_data):
        with pytest.raises((InputError, DataError)) as caught:
            read(file)
        assert "workbook" in caught.value.en and "工作簿" in caught.value.zh


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_mean_two_things(name: str, tmp_path: Path) -> None:
    text, words = REFUSED[name]
    (tmp_path / "t.csv").write_text(text)
    before = language()
    use_language("en")
    with pytest.raises(InputError, match=words) as caught:
        read_table(tmp_path / "t.csv")
    use_language(before)
    assert caught.value.zh != caught.value.en


def test_evaluate_refuses_it_as_well(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("1,234;2,345;red\n")
    with pytest.raises(DataError):
        read_csv(tmp_path / "t.csv")
