import subprocess
import sys

from convcli import backend


def test_operators_load_without_scipy():
    code = (
        "import sys, numpy as np\n"
        "from convcli import backend\n"
        "for method in ('auto', 'direct', 'gemm', 'separable', 'fft'):\n"
        "    backend.conv(np.ones((1, 1, 9, 9)), np.ones((1, 1, 3, 3)), method=method)\n"
        "print([name for name in ('scipy', 'PIL', 'click', 'rich', 'difflib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_operator_is_documented_with_shapes():
    for name in backend.__all__:
        text = getattr(backend, name).__doc__
        assert ">>> from convcli import" in text, name
        assert text.splitlines()[0].endswith("."), name
