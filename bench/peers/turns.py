"""The other side of `bench/turns.ts`: a runtime that takes turns with others, one line a turn.

The first argument is a JSON object: `models` (a file for each batch size), `input` (one image, float32, raw), `shape`, `inputName`,
`outputName`, `threads`, and whatever the runtime has of its own. The first line out is `{"ready": ...}` with p(opacity) of that image,
by which it is told whether this is the same network at all, or `{"absent": why}`. Then each line in, `run BATCH TIMES`, is answered by
the seconds that it took. The end of the input ends the process.
"""
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Runtime:
    version: str
    """How it was set up, for each batch size, in words for the table."""
    how: dict[int, str]
    probability: float
    """Does that many runs of that batch size, and returns when the last is done."""
    run: Callable[[int, int], object]


def batch_of(spec: dict, size: int) -> "np.ndarray":
    """The image, as many times as the batch has places."""
    import numpy as np

    image = np.fromfile(spec["input"], np.float32).reshape(spec["shape"])
    return np.ascontiguousarray(np.repeat(image, size, axis=0))


def model_files(spec: dict) -> dict[int, Path]:
    return {int(size): Path(file) for size, file in spec["models"].items()}


def serve(open_runtime: Callable[[dict], Runtime]) -> None:
    """Speaks to the parent alone: what libraries print goes to the standard error output."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        runtime = open_runtime(json.loads(sys.argv[1]))
    except Exception as thrown:
        print(json.dumps({"absent": f"{type(thrown).__name__}: {thrown}".splitlines()[0]}), file=out)
        return
    ready = {"version": runtime.version, "how": runtime.how, "probability": runtime.probability}
    print(json.dumps({"ready": ready}), file=out)
    for line in sys.stdin:
        _, size, times = line.split()
        began = time.perf_counter()
        runtime.run(int(size), int(times))
        print(time.perf_counter() - began, file=out)
