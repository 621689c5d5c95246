"""Films of DICOM files as pydicom decodes them, prepared by Pillow and numpy.

Reads jobs from a JSON file, each {file, steps, plane}: `plane` names the float32 file to write, grey levels from 0 to 255.
"""
import json
import sys

import numpy as np
import pydicom
from preprocess import apply
from pydicom.pixels import apply_modality_lut, apply_voi_lut


def grey(file):
    dataset = pydicom.dcmread(file)
    film = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(np.float64)
    film = (film - film.min()) / (film.max() - film.min())
    return 1 - film if dataset.PhotometricInterpretation == "MONOCHROME1" else film


def main():
    with open(sys.argv[1]) as f:
        jobs = json.load(f)
    for job in jobs:
        film = (grey(job["file"]) * 255).astype(np.float32)
        for step in job["steps"][:-1]:
            film = apply(film, step)
        film.astype("<f4").tofile(job["plane"])


if __name__ == "__main__":
    main()
