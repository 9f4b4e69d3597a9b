"""Points as spreadsheets and programs save them: read, or refused with the line."""

import numpy as np
import pytest

from pinnlab.data.columns import read_columns
from pinnlab.errors import UserError
from pinnlab.solution.output.grids import axis

EXPECTED = {"t": [0.1, 0.2], "x": [0.5, -1.0]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", b"t,x\n0.1,0.5\n0.2,-1\n"),
        ("excel.csv", b"\xef\xbb\xbft,x\r\n0.1,0.5\r\n0.2,-1\r\n"),
        ("blanks.csv", b" t , x\n 0.1, 0.5\n0.2 ,-1 \n\n"),
        ("semicolons.csv", b"t;x\n0,1;0,5\n0,2;-1,0\n"),
        ("semicolons_and_points.csv", b"t;x\n0.1;0.5\n0.2;-1.0\n"),
        ("tabs.tsv", b"t\tx\n0.1\t0,5\n0.2\t-1\n"),
        ("blanks_between.txt", b"# t x\n0.1 0.5\n0.2  -1\n"),
        ("quoted.csv", b'"t","x"\n"0.1","0.5"\n"0.2","-1"\n'),
        ("exponents.csv", b"t,x\n1e-1,5E-1\n+0.2,-1.\n"),
        ("further.csv", b"name,x,note,t\na,0.5,,0.1\nb,-1,z,0.2\n"),
        ("utf16.csv", "t,x,Wärme\n0.1,0.5,1\n0.2,-1,1\n".encode("utf-16")),
        ("no_ending", b"t,x\n0.1,0.5\n0.2,-1\n"),
    ],
)
def test_dialects_of_csv_give_the_same_points(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    found = read_columns(tmp_path / name, ["t", "x"])
    assert {key: column.tolist() for key, column in found.items()} == EXPECTED


def test_what_was_written_is_read_again(tmp_path):
    table = np.random.default_rng(0).normal(size=(20, 2)) * 10.0 ** np.arange(-9, 11)[:, None]
    for delimiter in ",;\t":
        np.savetxt(tmp_path / "a.csv", table, delimiter=delimiter, header=delimiter.join("tx"), fmt="%.17g")
        found = read_columns(tmp_path / "a.csv", ["x", "t"])
        np.testing.assert_array_equal(np.stack([found["t"], found["x"]], 1), table)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0.1,0.5\n0.2,0.5\n", "first line must name the columns"),
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"t,x\n", "no points"),
        (b"t,y\n1,2\n", "no column 'x': it has t, y"),
        (b"t,x,t\n1,2,3\n", "more than one column 't'"),
        (b"t,x\n0.1,abc\n", "line 2, x: 'abc' is no number"),
        (b"t,x\n0.1,0.2\n\n0.1,\n", "line 4, x: the value is missing"),
        (b"t,x\n0.1\n", "line 2: 1 cells where the first line names 2"),
        (b"t,x\n0,1,0,5\n", "line 2: 4 cells"),
        (b"t;x\n1.000,5;2\n", "line 2, t: '1.000,5' is no number"),
        (b"t,x\nnan,0\n", "line 2, t: the value is missing"),
        (b"t,x\n0,1e999\n", "line 2, x: 1e999 is not finite"),
        ("t,x,Wärme\n1,2,3\n".encode("latin-1"), "line 1.*UTF-8"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused_with_its_line(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UserError, match=rf"a\.csv.*{message}"):
        read_columns(tmp_path / "a.csv", ["t", "x"])


def test_npz_takes_columns_of_any_shape_and_single_numbers(tmp_path):
    np.savez(tmp_path / "a.npz", t=0.1, x=np.linspace(0, 1, 4).astype(np.float32)[:, None], more=np.array(["a"]))
    found = read_columns(tmp_path / "a.npz", ["t", "x"])
    np.testing.assert_array_equal(found["t"], [0.1] * 4)
    np.testing.assert_allclose(found["x"], np.linspace(0, 1, 4), rtol=1e-7)
    np.savez(tmp_path / "b.npz", t=1, x=2)
    assert {name: column.tolist() for name, column in read_columns(tmp_path / "b.npz", ["t", "x"]).items()} == {
        "t": [1.0],
        "x": [2.0],
    }


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"t": np.zeros(3), "x": np.zeros(4)}, "differ in length: t 3, x 4"),
        ({"t": np.zeros(3)}, "no array 'x': it has t"),
        ({}, "no array 't'"),
        ({"t": np.array([1, None], dtype=object), "x": np.zeros(2)}, "holds objects"),
        ({"t": np.array(["a"]), "x": np.zeros(1)}, "t must hold real numbers"),
        ({"t": np.zeros(1), "x": np.array([1j])}, "x must hold real numbers"),
        ({"t": np.zeros(1), "x": np.array([True])}, "x must hold real numbers"),
        ({"t": np.zeros(0), "x": np.zeros(0)}, "no points"),
        ({"t": np.zeros(1), "x": np.array([np.inf])}, "x has entries that are not finite"),
    ],
)
def test_npz_without_columns_of_numbers_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=rf"a\.npz.*{message}"):
        read_columns(tmp_path / "a.npz", ["t", "x"])


@pytest.mark.parametrize("name", ["a.xlsx", "a.npy", "folder", "missing.csv", "missing.npz", "broken.npz", "empty.npz"])
def test_other_files_are_refused_by_name(tmp_path, name):
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "empty.npz").write_bytes(b"")
    with pytest.raises(UserError, match=name):
        read_columns(tmp_path / name, ["t"])


@pytest.mark.parametrize("text", ["x=0:1:0", "x=nan", "x=0:inf:3", "x=", "x=a,b", "x=0:1"])
def test_an_axis_needs_finite_values(text):
    with pytest.raises(UserError, match="is no axis"):
        axis(text)
