"""One small film for every transfer syntax, depth, sign and photometric interpretation that the encoders at hand write.

usage: matrix.py OUTDIR
The encoders are dcmtk's commands and pydicom's plugins (OpenJPEG for JPEG 2000). Prints a JSON line a case: {"name", "syntax",
"bits", "signed", "photometric", "highBit", "writer"}, "name" being OUTDIR/<name>.dcm; or {..., "refused"} with the encoder's words
where it makes no such file. OUTDIR/<name>.source holds the values that went in, OUTDIR/<name>.dcmtk what dcmtk decodes from the
file where it can (int32, little endian). The cases of `native` are what other encoders can start from.
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from reference import stored_values

ROWS, COLUMNS = 48, 40
UID = "1.2.840.10008.1.2"

# name of the syntax: (its UID, dcmtk's command, dcmtk's decoder)
DCMTK = {
    "implicit": (UID, ["dcmconv", "+ti"], None),
    "deflated": (f"{UID}.1.99", ["dcmconv", "+td"], ["dcmconv", "+te"]),
    "big-endian": (f"{UID}.2", ["dcmconv", "+tb"], ["dcmconv", "+te"]),
    "rle": (f"{UID}.5", ["dcmcrle"], ["dcmdrle"]),
    "jpeg-baseline": (f"{UID}.4.50", ["dcmcjpeg", "+eb", "+q", "95"], ["dcmdjpeg", "+cn"]),
    "jpeg-extended": (f"{UID}.4.51", ["dcmcjpeg", "+ee", "+q", "95"], ["dcmdjpeg", "+cn"]),
    "jpeg-lossless": (f"{UID}.4.57", ["dcmcjpeg", "+el"], ["dcmdjpeg"]),
    "jpeg-lossless-sv1": (f"{UID}.4.70", ["dcmcjpeg", "+e1"], ["dcmdjpeg"]),
    "jpeg-ls": (f"{UID}.4.80", ["dcmcjpls", "+el"], ["dcmdjpls"]),
    "jpeg-ls-near": (f"{UID}.4.81", ["dcmcjpls", "+en", "+md", "2"], ["dcmdjpls"]),
}
PYDICOM = {
    "jpeg-2000": (f"{UID}.4.90", {}),
    "jpeg-2000-lossy": (f"{UID}.4.91", {"j2k_cr": [6]}),
}
# What the standard allows: the 8 bits of baseline, the 8 or 12 of extended.
DEPTHS = {"jpeg-baseline": [8], "jpeg-extended": [8, 12]}


def values_of(bits, signed):
    """A slope, a step and noise over the whole range, with both ends in it: what film and codec can both live with."""
    rng = np.random.default_rng(bits * 2 + signed)
    slope = np.add.outer(np.arange(ROWS) / ROWS, np.arange(COLUMNS) / COLUMNS) / 2
    film = 0.8 * slope + 0.1 * (slope > 0.5) + 0.05 * rng.random((ROWS, COLUMNS))
    levels = np.round(film * (2**bits - 1)).astype(int)
    levels[0, :4] = [0, 2**bits - 1, 1, 2 ** (bits - 1)]
    return levels - 2 ** (bits - 1) if signed else levels


def write_native(path, values, bits, signed, photometric, high_bit):
    allocated = 8 if bits == 8 and high_bit == 7 else 16
    cells = ((values & (2**bits - 1)) << (high_bit + 1 - bits)) & (2**allocated - 1)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = ds.SeriesInstanceUID = generate_uid(entropy_srcs=["study"])
    ds.PatientID = ds.PatientName = ds.StudyID = ""
    ds.Modality = "CR"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    ds.Rows, ds.Columns = ROWS, COLUMNS
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, bits, high_bit, int(signed)
    ds.add_new("PixelData", "OW", cells.astype("<u2" if allocated == 16 else "u1").tobytes())
    ds.save_as(path, enforce_file_format=True)


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no word"])[-1]


def by_dcmtk(native, target, command, decoder):
    """None, or why there is no file. Leaves what dcmtk's own decoder reads beside it."""
    refused = run(command[0], *command[1:], native, target)
    if refused or decoder is None:
        return refused
    plain = target.with_suffix(".plain")
    if run(decoder[0], *decoder[1:], target, plain) is None:
        stored_values(pydicom.dcmread(plain)).astype("<i4").tofile(target.with_suffix(".dcmtk"))
    return None


def by_pydicom(native, target, uid, options):
    try:
        ds = pydicom.dcmread(native)
        ds.compress(uid, generate_instance_uid=False, encoding_plugin="pylibjpeg", **options)
        ds.save_as(target)
    except Exception as error:  # an encoder that makes no such file is a line too
        return str(error).splitlines()[0]
    return None


def main(out):
    out = Path(out)
    shapes = [(bits, bits - 1) for bits in range(8, 17)] + [(10, 15), (12, 13), (12, 15)]
    for (bits, high_bit), signed, photometric in itertools.product(shapes, [False, True], ["MONOCHROME1", "MONOCHROME2"]):
        values = values_of(bits, signed)
        label = f"{bits}-{high_bit}-{'s' if signed else 'u'}-{photometric[-1]}"
        case = {"bits": bits, "signed": signed, "photometric": photometric, "highBit": high_bit}

        def tell(name, uid, writer, refused):
            if not refused:
                values.astype("<i4").tofile(out / f"{name}-{label}.source")
            told = {"refused": refused} if refused else {}
            print(json.dumps({"name": f"{name}-{label}", "syntax": uid, **case, "writer": writer, **told}))

        native = out / f"native-{label}.dcm"
        write_native(native, values, bits, signed, photometric, high_bit)
        tell("native", ExplicitVRLittleEndian, "pydicom", None)
        shifted = high_bit + 1 != bits
        for name, (uid, command, decoder) in DCMTK.items():
            if bits in DEPTHS.get(name, [bits]) and not (shifted and name.startswith("jpeg")):
                tell(name, uid, "dcmtk", by_dcmtk(native, out / f"{name}-{label}.dcm", command, decoder))
        for name, (uid, options) in PYDICOM.items():
            if not shifted:
                tell(name, uid, "OpenJPEG", by_pydicom(native, out / f"{name}-{label}.dcm", uid, options))


main(*sys.argv[1:])
