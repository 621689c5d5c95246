"""What pydicom makes of DICOM files, for comparison.

usage: reference.py OUTDIR FILE...
Writes OUTDIR/<n>.stored (int32, little endian) and OUTDIR/<n>.grey (float32, 0 black to 1 white) for the n-th file, and
prints one JSON line a file: {"rows", "columns"} or {"error"}. Greys follow PS3.4 N.2 by pydicom's own apply_modality_lut
and apply_voi_lut; what pydicom leaves out (padding, polarity, scale) is done here with numpy.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut

warnings.simplefilter("ignore")


def stored_values(ds):
    """pixel_array, or the cells cut to BitsStored below HighBit, and sign-extended: pydicom does not look at HighBit, nor at the sign in
    JPEG-LS. Raises ValueError for compressed cells in high bits, which pydicom has cut off already."""
    shift = ds.HighBit + 1 - ds.BitsStored
    values = ds.pixel_array.astype(int)
    if shift != 0:
        if ds.file_meta.TransferSyntaxUID.is_compressed:
            raise ValueError("HighBit in a compressed image")
        order = "<" if ds.original_encoding[1] else ">"
        values = np.frombuffer(ds.PixelData, f"{order}u2").astype(int).reshape(ds.Rows, ds.Columns) >> shift
    values &= 2**ds.BitsStored - 1
    half = 2 ** (ds.BitsStored - 1)
    return (values ^ half) - half if ds.PixelRepresentation else values


def padding_mask(ds, stored):
    value = ds.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = ds.get("PixelPaddingRangeLimit", value)
    low, high = sorted((int(value), int(limit)))
    return (stored >= low) & (stored <= high)


def window_range(ds):
    """Range of the output of apply_voi_lut for a window: that of the modality step (pydicom's own rule)."""
    if "ModalityLUTSequence" in ds:
        return 0.0, 2.0 ** ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    bits = ds.BitsStored
    low, high = (0, 2**bits - 1) if ds.PixelRepresentation == 0 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    slope = float(ds.get("RescaleSlope", 1))
    intercept = float(ds.get("RescaleIntercept", 0))
    return low * slope + intercept, high * slope + intercept


def grey(ds, stored):
    padding = padding_mask(ds, stored)
    values = apply_modality_lut(stored, ds)
    if "VOILUTSequence" in ds:
        low, high = 0.0, 2.0 ** ds.VOILUTSequence[0].LUTDescriptor[2] - 1
        values = apply_voi_lut(values.astype(int), ds)
    elif "WindowCenter" in ds:
        low, high = window_range(ds)
        values = apply_voi_lut(values, ds)
    else:
        low, high = values[~padding].min(), values[~padding].max()
    result = (values.astype(np.float64) - low) / (high - low)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        result = 1 - result
    result[padding] = 0
    return result


def main(out, *files):
    for number, file in enumerate(files):
        try:
            ds = pydicom.dcmread(file, force=True)
            stored = stored_values(ds)
            stored.astype("<i4").tofile(Path(out) / f"{number}.stored")
            grey(ds, stored).astype("<f4").tofile(Path(out) / f"{number}.grey")
            print(json.dumps({"rows": stored.shape[0], "columns": stored.shape[1]}))
        except Exception as error:  # a file that pydicom cannot read is a line too
            print(json.dumps({"error": repr(error)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
