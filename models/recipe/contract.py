"""The names and shapes that the gateway asks of a network (`src/model/manifest.ts`, `src/model/resnet.ts`), and its model.json."""
import json
import re
from pathlib import Path

INPUT, PROBABILITIES, MAP, FEATURES = "film", "probabilities", "map", "features"
LAST_FEATURE_MAP = "trunk"
OPSET = 17
INPUT_SHAPE = (1, 3, 224, 224)
MAP_SIDE = 7
MANUFACTURER = "cxr-gateway project"
INTENDED_USE = (
    "Research use only; not a medical device. Marks frontal chest radiographs of adults that may show an airspace opacity, "
    "for a radiologist to look at. Not for diagnosis, not for children, not for lateral views."
)


def manifest_of(*, model_id: str, name: str, version: str, training: str, sha256: str, steps: list[dict],
                features: int, operating_point: float, heat_max: float, intended_use: str = INTENDED_USE) -> dict:
    """What model.json says. Raises ValueError for what the gateway would refuse and a person can mend here."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,62}", model_id):
        raise ValueError(f"{model_id!r} as the name of the folder: lower-case letters, digits, dots and hyphens")
    if not 0 < operating_point < 1:
        raise ValueError(f"operating point {operating_point}: between 0 and 1")
    return {
        "id": model_id,
        "manufacturer": MANUFACTURER,
        "name": name,
        "version": version,
        "training": training,
        "intendedUse": intended_use,
        "weights": {"file": "weights.onnx", "sha256": sha256},
        "opset": OPSET,
        "input": {"name": INPUT, "shape": list(INPUT_SHAPE)},
        "outputs": {
            "probabilities": {"name": PROBABILITIES, "shape": [1, 2]},
            "map": {"name": MAP, "shape": [1, 1, MAP_SIDE, MAP_SIDE]},
            "features": {"name": FEATURES, "shape": [1, features]},
        },
        "classes": ["none", "opacity"],
        "preprocess": steps,
        "operatingPoint": round(operating_point, 4),
        "heat": {"max": float(f"{heat_max:.3g}")},
    }


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")
