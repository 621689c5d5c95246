"""Grad-CAM in float64 from its definition (Selvaraju 2017, equations 1 and 2), the gradients taken by central differences.

Reads jobs from a JSON file, each {features, channels, weight, bias}: `features` names the last feature map (channels × 7 × 7,
float32), `weight` and `bias` the head (2 × channels and 2, float32). Prints the maps of p(opacity) and of the logit difference.
"""
import json
import sys

import numpy as np

STEP = 1e-4


def read(path, shape):
    return np.fromfile(path, "<f4").astype(np.float64).reshape(shape)


def logits(activation, weight, bias):
    return weight @ activation.mean((1, 2)) + bias


def p_opacity(activation, weight, bias):
    none, opacity = logits(activation, weight, bias)
    return 1 / (1 + np.exp(none - opacity))


def difference(activation, weight, bias):
    none, opacity = logits(activation, weight, bias)
    return opacity - none


def gradient(score, activation, weight, bias):
    """Of a score with respect to each channel in each cell. The head averages, so that all cells of a channel must agree:
    every cell is really moved, none is assumed equal to another."""
    found = np.empty_like(activation)
    for index in np.ndindex(activation.shape):
        there, back = activation.copy(), activation.copy()
        there[index] += STEP
        back[index] -= STEP
        found[index] = (score(there, weight, bias) - score(back, weight, bias)) / (2 * STEP)
    return found


def grad_cam(score, activation, weight, bias):
    importance = gradient(score, activation, weight, bias).mean((1, 2))
    return np.maximum(0, np.tensordot(importance, activation, 1))


def main():
    with open(sys.argv[1]) as f:
        jobs = json.load(f)
    maps = []
    for job in jobs:
        channels = job["channels"]
        activation = read(job["features"], (channels, 7, 7))
        head = read(job["weight"], (2, channels)), read(job["bias"], 2)
        maps.append({score.__name__: grad_cam(score, activation, *head).ravel().tolist() for score in (p_opacity, difference)})
    print(json.dumps(maps))


if __name__ == "__main__":
    main()
