"""The headers of .npy files: whatever they claim, the values are read or there is one clear error."""

import io
import struct
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convcli.npy import NpyError, map_values, read_header, read_values


def claiming(header: str, values: bytes = b"", version: int = 1) -> io.BytesIO:
    """A file with a header, which is a Python expression."""
    text = header.encode("latin-1") + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return io.BytesIO(b"\x93NUMPY" + bytes((version, 0)) + size + text + values)


def shaped(shape: str, descr: str = "'<f8'", values: bytes = bytes(64)) -> io.BytesIO:
    return claiming(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}", values)


@given(
    array=arrays.arrays(
        st.sampled_from(["?", "u1", "<i2", ">i4", "<u8", "f2", ">f4", "f8", "c8", "S3"]),
        arrays.array_shapes(min_dims=0, min_side=0, max_side=4),
    ),
    fortran=st.booleans(),
    mapped=st.booleans(),
)
def test_files_written_by_numpy_are_read(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, fortran: bool, mapped: bool
) -> None:
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    np.save(path, np.asfortranarray(array) if fortran and array.ndim else array)
    with path.open("rb") as file:
        header = read_header(file)
        found = map_values(path, header) if mapped else read_values(file, header)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


DAMAGED = "its header is damaged or cut short; save it again with numpy.save"
CLAIMS = [
    (shaped("(True, 2)"), "its shape (True, 2) is not a valid shape; save it again with numpy.save"),
    (shaped("(-1, -8)"), "its shape (-1, -8) is not a valid shape"),
    (shaped("(1,) * 40"), DAMAGED),
    (shaped(f"({'1, ' * 33})"), "is not a valid shape"),
    (shaped(f"({10**30},)"), f"the file is cut short: it has 64 of {8 * 10**30:,} bytes of values; get a whole copy"),
    (shaped("(1000000000000, 1000000000000, 0, 3)"), "its shape (1000000000000, 1000000000000, 0, 3) is not"),
    (shaped("(3, 0)"), ""),
    (shaped("(9,)"), "the file is cut short: it has 64 of 72 bytes of values; get a whole copy"),
    (shaped("(2,)", "'|O'"), "it holds Python objects, which are never unpickled because they can run code; save an array"),
    (shaped("(2,)", "[('a', '|O')]"), "it holds Python objects, which are never unpickled"),
    (shaped("(2,)", "'S9999999'"), "the file is cut short: it has 64 of 19,999,998 bytes"),
    (shaped("(2,)", "'nonsense'"), DAMAGED),
    (shaped("2"), DAMAGED),
    (shaped("(1.0,)"), DAMAGED),
    (shaped("(" * 9000), DAMAGED),
    (shaped("(" * 150 + "1" + ",)" * 150), DAMAGED),
    (shaped("(" + "9" * 9000 + ",)"), DAMAGED),
    (shaped("(1 is 2,)"), DAMAGED),
    (shaped("(3L,)"), ""),
    (shaped("('\\d',)"), DAMAGED),
    (claiming("{}"), DAMAGED),
    (claiming(" " * 20000), DAMAGED),
    (claiming("{'descr': '<f8'}", version=2), DAMAGED),
    (claiming("", version=3), "it is a .npy file of version 3.0, which is for arrays with named fields; save a plain array"),
    (io.BytesIO(b"\x93NUMPY"), DAMAGED),
    (io.BytesIO(b""), "it is not a .npy file; save the array with numpy.save (a pickle is never loaded"),
    (io.BytesIO(b"\x80\x04N."), "it is not a .npy file; save the array with numpy.save (a pickle is never loaded"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "message"), CLAIMS)
def test_false_claims_allocate_no_memory(file: io.BytesIO, message: str) -> None:
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if message:
                with pytest.raises(NpyError) as error:
                    read_values(file, read_header(file))
                assert message in str(error.value)
                assert "\n" not in str(error.value)
            else:
                read_values(file, read_header(file))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("compress", [np.savez, np.savez_compressed])
def test_an_archive_is_no_array(tmp_path: Path, compress: object) -> None:
    compress(tmp_path / "a.npz", a=np.ones(3))
    file = io.BytesIO((tmp_path / "a.npz").read_bytes())
    with pytest.raises(
        NpyError, match=r"it is an archive of arrays, written by numpy\.savez; save one array"
    ):
        read_header(file)


@given(
    tail=st.binary(max_size=300),
    start=st.sampled_from([b"", b"\x93NUMPY\1\0", b"\x93NUMPY\1\0\x76\0{'descr': '"]),
)
def test_any_bytes_are_an_array_or_one_clear_line(tail: bytes, start: bytes) -> None:
    file = io.BytesIO(start + tail)
    try:
        read_values(file, read_header(file))
    except NpyError as error:
        assert "\n" not in str(error)


def test_a_file_that_is_cut_short_while_it_is_read() -> None:
    """Old contents of memory are never returned as values."""

    class Shrinking(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            return super().readinto(memoryview(buffer)[:24])  # type: ignore[call-overload]

    file = io.BytesIO()
    np.save(file, np.arange(8.0))
    shrinking = Shrinking(file.getvalue())
    with pytest.raises(NpyError, match="the file was cut short while it was read; get a whole copy"):
        read_values(shrinking, read_header(shrinking))
