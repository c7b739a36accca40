"""The command line of `convcli filter` that runs what `convcli learn` wrote."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convcli.cli.options.learn_options import LearnOptions
from convcli.jobs.read_source import Reading
from convcli.layers.text.notation import format_padding_as_typed

if TYPE_CHECKING:
    from convcli.learning.learned_kernel import Learned
    from convcli.learning.patch_bank import Bank

ANY = "PICTURE"  # stands for a picture that has no name: standard input, or typed numbers


def command_for_kernel(
    learned: Learned,
    path: Path,
    names: Sequence[str],
    options: LearnOptions,
    reading: Reading,
    bias_file: Path | None,
) -> str:
    """Return the command that runs the file of a learned kernel, or of several, on the first picture.

    The bias of one kernel is in its file, or becomes --bias if its format has no place for it; the biases of several
    are in `bias_file`, if that is written.
    """
    from convcli.kernels.write_kernel import HOLD_ALL

    is_one = learned.weights.ndim == 2
    words = ["--kernel" if is_one else "--weights", str(path)]
    if is_one and learned.bias and path.suffix.lower() not in HOLD_ALL:
        words.append(f"--bias={learned.bias:.6g}")
    if not is_one and bias_file is not None:
        words += ["--bias-file", str(bias_file)]
    for flag, given in (("--stride", options.stride), ("--dilation", options.dilation)):
        if given not in (1, (1,)):
            words += [flag, "x".join(map(str, given)) if isinstance(given, tuple) else str(given)]
    if learned.padding != "same":
        words += ["--padding", format_padding_as_typed(learned.padding)]
    if options.padding_mode is not None:
        words += ["--padding-mode", options.padding_mode]
    words += ["--flip"] * options.flip
    return _command(names, [*words, *_words_of_reading(reading)])


def command_for_bank(bank: Bank, path: Path, names: Sequence[str], reading: Reading) -> str:
    """Return the command that draws the maps of a bank; a drawn bank of one channel needs a grey picture."""
    words = _words_of_reading(reading)
    if not names and bank.weights.shape[1] == 1:
        words = ["--gray"]
    return _command(names, ["--weights", str(path), *words, "--sheet"])


def _words_of_reading(reading: Reading) -> list[str]:
    """Return the options by which pictures are converted as they were for learning."""
    words = ["--channels", ",".join(reading.channels)] if reading.channels else []
    words += ["--gray"] * reading.gray + ["--linear"] * reading.linear
    return words + (["--layout", reading.layout] if reading.layout != Reading().layout else [])


def _command(names: Sequence[str], words: Sequence[str]) -> str:
    picture = names[0] if names and names[0] != "-" else ANY
    return shlex.join(["convcli", "filter", picture, *words])
