"""MediaPipe's face networks as ONNX: the parts of build_landmark_models.py."""
