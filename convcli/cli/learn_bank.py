"""Learning a bank of kernels from pictures, or drawing one at random: `convcli learn --patches` and `--random`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli import __version__
from convcli.cli.command_for_learned import command_for_bank
from convcli.cli.learn_pairs import Files, header_of, picture_of_source
from convcli.cli.options.learn_options import BANK_SIZE, BankOptions, LearnOptions
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.files import write_whole
from convcli.jobs.find import Inputs
from convcli.jobs.read_source import Reading
from convcli.npy import npy_bytes
from convcli.render import Answer, Grid

if TYPE_CHECKING:
    from convcli.images.picture import Frame
    from convcli.learning.patch_bank import Bank

COLUMNS = ("kernels", "channels", "size", "patches", "explained")


def learn_bank(
    messages: Messages,
    names: Sequence[str],
    options: LearnOptions,
    bank: BankOptions,
    files: Files,
    reading: Reading,
    max_memory: int,
) -> Bank:
    """Learn a bank from pictures, or draw one at random."""
    from convcli.learning.patch_bank import COUNT, PatchSampler, random_bank

    if files.printed:
        raise ArgumentError(
            "a bank has several kernels, and only one can be printed as a matrix; write it to a .npy with `output`"
        )
    for path, ending in ((files.output, ".npy"), (files.bank_sheet, ".png")):
        if path is not None and path.suffix.lower() != ending:
            raise ArgumentError(f"{path} has no known ending; end it in {ending}")
    size, count, seed = (
        usual if given is None else given
        for given, usual in ((options.size, BANK_SIZE), (bank.kernel_count, COUNT), (options.seed, 0))
    )
    if bank.random:
        return random_bank(count, size, bank.in_channels or 1, seed=seed)
    sampler = PatchSampler.of(count, size, seed)
    found = Inputs(tuple(names)).find(None, "learn")
    messages.keep(str(source.path) for source in found.sources)
    for note in found.notes:
        messages.note(note)
    for source in found.sources:
        if source.problem is not None:
            raise source.problem
    paths = [source.path for source in found.sources]
    area = _checked(paths, reading, sampler, max_memory)
    patches = []
    for path in paths:
        picture = picture_of_source(reading, path, str(path))
        for note in picture.notes:
            messages.note(f"{path}: {note}")
        for frame in picture.frames:
            colours, hidden = _opaque(reading.colours.light(frame))
            patches.append(sampler.draw(colours, hidden, area, str(path)))
    return sampler.bank(patches)


def _checked(paths: Sequence[Path], reading: Reading, sampler: Any, max_memory: int) -> int:
    """Return the number of pixels of all pictures; raise ImageError if the largest does not fit in memory."""
    from convcli.jobs.memory_limit import check_memory
    from convcli.learning.patch_bank import bank_bytes

    area, most, channels, formats = 0, 0, 1, []
    for path in paths:
        if str(path) == "-":
            raise ArgumentError("--patches reads files, not standard input (-); name files")
        picture, memory = header_of(reading, path, str(path))
        formats.append((str(path), picture.format))
        light = max(8 * frame.pixels.size for frame in picture.frames) if reading.linear else 0
        most = max(most, memory + light)
        for frame in picture.frames:
            area += prod(frame.pixels.shape[:2])
            channels = max(channels, frame.pixels.size // prod(frame.pixels.shape[:2]))
    reading.check_layout(formats)
    needed = most + bank_bytes(channels, sampler.size, sampler.wanted(channels))
    check_memory(f"learn from {paths[0]}", needed, max_memory, "use a smaller --size")
    return area


def _opaque(frame: Frame) -> tuple[Any, Any]:
    """Return the colours of a frame, and a mask of the pixels that are not opaque; None if there is no alpha."""
    from convcli.backend.values import full_scale

    if not frame.has_alpha:
        return frame.pixels, None
    opacity = frame.pixels[..., -1]
    return frame.pixels[..., :-1], opacity < full_scale(opacity.dtype)


def bank_answer(bank: Bank) -> Answer:
    """Return the answer for a bank: one row, and below it the share of the patches that are nearest to each kernel."""
    row = {
        "kernels": len(bank.weights),
        "channels": bank.weights.shape[1],
        "size": bank.weights.shape[2:],
        "patches": bank.patches or None,
        "explained": bank.explained,
        "shares": Grid(bank.shares.tolist()),
        "weights": Grid(_nested(bank.weights.tolist())),
    }
    shares = ", ".join(f"{100 * share:.3g} %" for share in bank.shares[:8])
    more = ", ..." if len(bank.shares) > 8 else ""
    remarks = [f"patches that are nearest to each kernel: {shares}{more}"] if bank.patches else []
    remarks.append("each kernel sums to 0, and its positive weights to 1; run the bank with filter --weights")
    columns = COLUMNS if bank.patches else COLUMNS[:3]
    return Answer("learn", __version__, [row], [row], {}, columns, ("kernels",), remarks)


def _nested(values: Any) -> Any:
    return tuple(map(_nested, values)) if isinstance(values, list) else values


def write_bank(messages: Messages, files: Files, bank: Bank, names: Sequence[str], reading: Reading) -> None:
    """Write the weights and the sheet, with a note for each, and one on how to run the weights."""
    if files.output is not None:
        write_whole(files.output, npy_bytes(bank.weights.astype("float32")), overwrite=files.force)
        messages.note(f"wrote {files.output}: weights {bank.weights.shape}")
        messages.note(f"run it with: {command_for_bank(bank, files.output, names, reading)}")
    if files.bank_sheet is not None:
        from convcli.images.write import encode
        from convcli.learning.kernel_frames import kernel_sheet

        data, _ = encode(kernel_sheet(bank.weights), "PNG", str(files.bank_sheet))
        write_whole(files.bank_sheet, data, overwrite=files.force)
        messages.note(f"wrote {files.bank_sheet}")
