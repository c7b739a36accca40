"""Kernels as pictures: which colour each weight has, where each kernel is, how many frames there are."""

import numpy as np

from convcli.learning.kernel_frames import kernel_frames, kernel_sheet

BLUE, WHITE, RED = (33, 102, 172), (247, 247, 247), (178, 24, 43)


def test_a_frame_for_each_step_with_one_scale():
    trace = [np.zeros((1, 2)), np.array([[1.0, -0.5]]), np.array([[2.0, -2.0]])]
    picture = kernel_frames(trace)
    assert [frame.duration for frame in picture.frames] == [100, 100, 1500]
    shown = [tuple(map(tuple, frame.pixels[10, [10, 70]].tolist())) for frame in picture.frames]
    assert shown[0] == (WHITE, WHITE)
    assert shown[2] == (RED, BLUE)
    halves = [
        tuple(round(w + (end - w) * share) for w, end in zip(WHITE, side))
        for side, share in ((RED, 0.5), (BLUE, 0.25))
    ]
    assert np.abs(np.array(shown[1]) - halves).max() <= 1
    assert picture.frames[0].pixels.shape == (48, 96, 3)


def test_of_many_steps_a_part_is_shown():
    trace = [np.full((3, 3), float(step)) for step in range(1001)]
    frames = kernel_frames(trace).frames
    assert len(frames) == 200
    assert frames[0].pixels[0, 0].tolist() == list(WHITE)
    assert frames[-1].pixels[0, 0].tolist() == list(RED)


def test_a_sheet_has_each_kernel_once():
    bank = np.zeros((5, 1, 3, 3))
    for number in range(5):
        bank[number, 0].flat[number] = number + 1
    pixels = kernel_sheet(bank).frames[0].pixels
    cell, gap = 32, 8
    step = 3 * cell + gap
    assert pixels.shape == (2 * step - gap, 3 * step - gap, 3)
    for number in range(5):
        top, left = number // 3 * step, number % 3 * step
        tile = pixels[top : top + 3 * cell : cell, left : left + 3 * cell : cell]
        expected = np.full((3, 3, 3), WHITE)
        expected.reshape(9, 3)[number] = RED  # each with its own scale
        assert np.array_equal(tile, expected)
    assert (pixels[step:, 2 * step :] == 128).all()  # no kernel


def test_three_channels_are_colours_and_two_are_side_by_side():
    bank = np.zeros((1, 3, 2, 2))
    bank[0, :, 0, 0] = 1, -1, 0
    assert kernel_sheet(bank).frames[0].pixels[0, 0].tolist() == [255, 0, 128]
    two = np.zeros((3, 2, 2, 2))
    two[:, 1] = -1
    pixels = kernel_sheet(two).frames[0].pixels
    assert pixels.shape == (3 * 96 + 2 * 12, 2 * 96 + 12, 3)
    assert pixels[0, 0].tolist() == list(WHITE)
    assert pixels[0, -1].tolist() == list(BLUE)
