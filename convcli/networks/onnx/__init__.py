"""Read ONNX models from the bytes of their files, without other packages, and convert them to networks."""
