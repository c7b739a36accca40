"""Numbers near the limits of floats, in pictures and in options: a picture, or one clear line; no warning."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.images.read import read_picture
from tests.conftest import Call

PICTURES = [
    "grey.png",
    "black.png",
    "deep.png",
    "alpha.png",
    "floats.tif",
    "huge.npy",
    "nan.npy",
    "infinite.npy",
    "half.npy",
]
RECIPES = [
    "-k|1e308 1e308; 1e308 1e308",
    "-k|1e308 -1e308",
    "-k|1e30",
    "-k|1e29 -1e29 1e29|--repeat|20",
    "-k|1e-320 1e-320|--normalize",
    "-k|1e308 1e308|--normalize",
    "-k|box|--scale|1e308",
    "-k|box|--scale|1e-308",
    "-k|box|--bias|1e308",
    "-k|box|--bias|-1e29",
    "-k|gaussian:sigma=1e-300",
    "-k|gaussian:sigma=1e300",
    "-k|gaussian:sigma=1e300,size=5",
    "-k|laplacian|--padding-mode|constant|--padding-value|1e308",
    "-k|sobel|--repeat|200",
    "-k|sobel|--range|minmax",
    "-k|1e20|--repeat|3|--activation|softplus",
    "-k|1e20|--repeat|3|--activation|tanh|--pool|lp:2,p=1000",
    "-k|box|--pool|lp:2,p=1e308",
    "-k|box|--pool-channels|lp:3,p=1e308",
    "--weights|grey.npy|--method|separable",
    "-k|box|--variant|separable|--scale|1e29",
    "-k|sharpen|--variant|transposed|--scale|1e29",
    "-k|box|--offsets|swirl:strength=1e308",
    "-k|box|--offsets|lens:strength=-1e308",
    "--local|tilt-shift:sigma=5,centre=1e308",
    "--weights|large.npy",
    "--weights|largest.npy",
    "--weights|usual.npy|--bias-file|bias.npy",
    "--pointwise|1e308",
    "-k|box|--linear",
    "-k|box|--alpha|keep",
    "-k|box|--stats",
    "-k|box|--sheet",
    "match|--template|grey.png",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pictures of such numbers, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 256, (7, 9), dtype=np.uint8)).save("grey.png")
    Image.new("L", (9, 7)).save("black.png")
    Image.fromarray(rng.integers(0, 65536, (7, 9), dtype=np.uint16)).save("deep.png")
    Image.fromarray(rng.integers(0, 256, (7, 9, 4), dtype=np.uint8)).save("alpha.png")
    floats = rng.normal(size=(7, 9)).astype(np.float32)
    floats[2, 3:6] = np.nan, np.inf, -np.inf
    Image.fromarray(floats).save("floats.tif")
    np.save("huge.npy", rng.choice([1e308, -1e308, 5e-324, 0, 1], (7, 9)))
    np.save("nan.npy", np.full((7, 9, 3), np.nan, np.float32))
    np.save("infinite.npy", rng.choice([np.inf, -np.inf], (7, 9, 3)))
    np.save("half.npy", np.full((7, 9), 65504, np.float16))
    for name, value in (("usual", 1.0), ("large", 1e30), ("largest", 1e308)):
        np.save(f"{name}.npy", np.full((1, 1, 3, 3), value))
    np.save("bias.npy", [1e308])
    np.save("grey.npy", np.ones((7, 9)))
    return tmp_path


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_runs_on_every_picture_or_has_one_error(call: Call, here: Path, recipe: str) -> None:
    for number, name in enumerate(PICTURES):
        for output in ("out.png", "out.npy", "out.tif"):
            gray = ["--gray"] if "--weights" in recipe or "--pointwise" in recipe else []
            words = recipe.split("|")
            command = words.pop(0) if words[0] == "match" else "filter"
            result = call(
                command,
                name,
                *words,
                *gray,
                "-o",
                output,
                "--force",
                "--threads",
                1 + number % 2,
            )
            if result.code == 0:
                assert read_picture(Path(output)).frames
            else:
                assert result.code in (1, 2)
                (*_, line) = result.err.splitlines()
                assert line.startswith("convcli: error: ") and len(line) < 400


@pytest.mark.parametrize(
    "spec",
    ["1e308 1e308", "1e308 -1e308", "1e29 1e29; -1e29 1", "1e-320 2e-320", "5e-324", "1e-300 1e29", "0 0; 0 0",
     "1" + "0" * 308 + " 1", "1e160 1e160", "sobel; 1e20; 1e20", "gaussian:sigma=1e300,size=5"],
)  # fmt: skip
@pytest.mark.parametrize(
    "options", [[], ["--format", "json"], ["--dims", "3"], ["-o", "response.png", "--force"]]
)
def test_a_kernel_is_explained_or_refused(call: Call, here: Path, spec: str, options: list[str]) -> None:
    result = call("kernels", spec, *options)
    assert result.code in (0, 2)
    assert "nan" not in result.out.replace("nan\n", "") or result.code == 0
    if result.code:
        assert "too large" in result.err or "beyond all numbers" in result.err or "no picture" in result.err


def test_a_kernel_near_the_largest_float_has_one_line(call: Call, here: Path) -> None:
    result = call("filter", "grey.png", "-k", "1e308 1e308", "-o", "out.png")
    assert result.code == 2
    assert result.err == (
        "convcli: error: kernel 'kernel' is too large: its absolute weights sum to inf, and the limit "
        "is 1e+30; scale it down\n"
    )
    result = call("filter", "grey.png", "--weights", "largest.npy", "-o", "out.png")
    assert result.code == 2
    assert (
        "--weights: largest.npy holds 1e+308 at (0, 0, 0, 0); every number must be finite and at most 1e+30"
        in result.err
    )


@pytest.mark.parametrize("one", PICTURES)
def test_pictures_of_any_numbers_are_compared(call: Call, here: Path, one: str) -> None:
    for other in PICTURES:
        for options in ([], ["--format", "json"], ["--tolerance", "1e308"], ["-o", "d.npy", "--force"]):
            assert call("diff", one, other, *options).code in (0, 1)


@pytest.mark.parametrize("one", ["grey.png", "floats.tif", "huge.npy", "infinite.npy"])
@pytest.mark.parametrize("kernel", ["sobel", "1e29 -1e29", "1e-320"])
def test_trials_on_pictures_of_any_numbers(call: Call, here: Path, one: str, kernel: str) -> None:
    result = call("compare", one, "--kernel", kernel, "--format", "json", "--all")
    assert result.code == 0
