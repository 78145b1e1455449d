"""N2FNet at run time: normals and mask in, head parameters and camera out. ONNX Runtime, no torch."""

from inference_core.n2fnet.regressor import BUNDLED_WEIGHTS, Estimate, HeadRegressor, Regressor

__all__ = ["BUNDLED_WEIGHTS", "Estimate", "HeadRegressor", "Regressor"]
