"""ONNX models: read without any other package, from the file's bytes to a network."""
