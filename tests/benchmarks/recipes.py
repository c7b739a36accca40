"""The filters as a user of each Python library would write them: expressions of the picture `x` and the weights `k`.

The same text runs in this process and in the scripts that are measured as whole commands.
"""

OPENCV = {
    "integer": "cv2.filter2D(x, -1, k)",
    "magnitude": (
        "cv2.convertScaleAbs(cv2.magnitude(cv2.Sobel(x, cv2.CV_32F, 1, 0), cv2.Sobel(x, cv2.CV_32F, 0, 1)))"
    ),
    "gaussian": "cv2.GaussianBlur(x, (0, 0), 2.5)",
    "box": "cv2.blur(x, (31, 31))",
    "dense": "cv2.filter2D(x, -1, k)",
}

SCIPY = {
    "integer": "ndimage.correlate(x, k[:, :, None], np.int16, 'mirror').clip(0, 255).astype(np.uint8)",
    # ndimage.sobel would smooth across the channels too.
    "magnitude": (
        "np.rint(np.hypot(*(ndimage.correlate1d(ndimage.correlate1d(x, [-1, 0, 1], axis, np.float32, 'mirror'), "
        "[1, 2, 1], 1 - axis, None, 'mirror') for axis in (0, 1)))).clip(0, 255).astype(np.uint8)"
    ),
    "gaussian": (
        "np.rint(ndimage.gaussian_filter(x, 2.5, 0, np.float32, 'mirror', radius=8, axes=(0, 1)))"
        ".astype(np.uint8)"
    ),
    "box": "np.rint(ndimage.uniform_filter(x, 31, np.float32, 'mirror', axes=(0, 1))).astype(np.uint8)",
    "dense": (
        "np.rint(ndimage.correlate(x, k[:, :, None], np.float32, 'mirror')).clip(0, 255).astype(np.uint8)"
    ),
}

# Of weights of one's own scikit-image leaves the convolution to SciPy.
SKIMAGE = {
    "magnitude": (
        "np.rint(np.dstack([filters.sobel(x[..., c], mode='mirror') for c in range(3)]) * (255 * 32**0.5))"
        ".clip(0, 255).astype(np.uint8)"
    ),
    "gaussian": (
        "np.rint(filters.gaussian(x, 2.5, mode='mirror', truncate=3.2, preserve_range=True, channel_axis=-1))"
        ".astype(np.uint8)"
    ),
    "box": ("np.dstack([filters.rank.mean(x[..., c], np.ones((31, 31), np.uint8)) for c in range(3)])"),
}

# `x` is Pillow's image. Its GaussianBlur is an approximation by boxes, and its Kernel ends at 5x5.
PILLOW = {
    "integer": "x.filter(ImageFilter.Kernel((3, 3), k.ravel()))",
    "box": "x.filter(ImageFilter.BoxBlur(15))",
}

IMPORTS = {
    "opencv": "import cv2, numpy as np",
    "scipy": "import numpy as np; from scipy import ndimage",
    "scikit-image": "import numpy as np; from scipy import ndimage; from skimage import filters, io",
    "pillow": "import numpy as np; from PIL import Image, ImageFilter",
}
