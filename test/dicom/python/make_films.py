"""Small films for every way in which a header can describe greys.

usage: make_films.py OUTDIR
Writes OUTDIR/<name>.dcm and prints one name a line. Pixels are seeded noise over the whole range of BitsStored.
"""

import sys
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

ROWS, COLUMNS = 48, 40


def lut(count, first, bits, data, sign="US", data_vr="OW", words=True):
    item = Dataset()
    item.add_new("LUTDescriptor", sign, [count % 65536, first, bits])
    payload = np.asarray(data, "<u2").tobytes() if words else list(map(int, data))
    item.add_new("LUTData", data_vr, payload)
    return item


def gamma(count, bits, power):
    return np.round((np.arange(count) / (count - 1)) ** power * (2**bits - 1)).astype(int)


def film(name, out, bits=12, signed=False, allocated=16, high_bit=None, syntax=ExplicitVRLittleEndian, **header):
    rng = np.random.default_rng(sum(name.encode()))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    stored = rng.integers(low, high, (ROWS, COLUMNS))
    stored[0, :4] = [low, high - 1, 0, 1]
    high_bit = bits - 1 if high_bit is None else high_bit
    cells = ((stored & (2**bits - 1)) << (high_bit + 1 - bits)) & (2**allocated - 1)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[name])
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = ds.SeriesInstanceUID = generate_uid(entropy_srcs=["study"])
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = header.pop("photometric", "MONOCHROME2")
    ds.Rows, ds.Columns = ROWS, COLUMNS
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, bits, high_bit, int(signed)
    for keyword, value in header.items():
        if keyword.startswith("PixelPadding"):
            ds.add_new(keyword, "SS" if signed else "US", value)
        else:
            setattr(ds, keyword, value)
    ds.add_new("PixelData", "OW" if allocated == 16 else "OB", cells.astype("<u2" if allocated == 16 else "u1").tobytes())
    ds.save_as(Path(out) / f"{name}.dcm", enforce_file_format=True)
    print(name)


def main(out):
    make = lambda name, **options: film(name, out, **options)  # noqa: E731
    window = {"WindowCenter": 2000, "WindowWidth": 1500}
    make("no-voi")
    make("no-voi-8-bit", bits=8, allocated=8)
    make("no-voi-mono1", photometric="MONOCHROME1")
    make("linear", **window)
    make("linear-10-bit", bits=10, WindowCenter=550, WindowWidth=1024)
    make("linear-16-bit", bits=16, WindowCenter=30000, WindowWidth=40000)
    make("linear-mono1", photometric="MONOCHROME1", PresentationLUTShape="INVERSE", **window)
    make("linear-several", WindowCenter=[1000, 3000], WindowWidth=[800, 100])
    make("linear-width-1", WindowCenter=2000.5, WindowWidth=1)
    make("linear-exact", VOILUTFunction="LINEAR_EXACT", **window)
    make("linear-exact-narrow", VOILUTFunction="LINEAR_EXACT", WindowCenter=2000, WindowWidth=0.5)
    make("sigmoid", VOILUTFunction="SIGMOID", **window)
    make("signed", signed=True, WindowCenter=-100, WindowWidth=900)
    make("signed-16-bit", bits=16, signed=True, WindowCenter=-100, WindowWidth=9000)
    make("signed-no-voi", bits=14, signed=True)
    make("signed-8-bit", bits=8, allocated=8, signed=True, WindowCenter=10, WindowWidth=100)
    make("high-bit-15", high_bit=15, **window)
    make("high-bit-13-signed", high_bit=13, signed=True, WindowCenter=0, WindowWidth=2000)
    make("rescale", RescaleSlope="2.5", RescaleIntercept="-1024", WindowCenter=3000, WindowWidth=5000)
    make("rescale-no-voi", RescaleSlope="0.25", RescaleIntercept="100")
    make("modality-lut", ModalityLUTSequence=[lut(4096, 0, 16, gamma(4096, 16, 0.5))], WindowCenter=30000, WindowWidth=50000)
    make("modality-lut-short", ModalityLUTSequence=[lut(1000, 500, 16, gamma(1000, 16, 2))])
    make("modality-lut-signed", signed=True, ModalityLUTSequence=[lut(4096, -2048, 16, gamma(4096, 16, 1.5), sign="SS")], WindowCenter=30000, WindowWidth=50000)
    make("voi-lut", VOILUTSequence=[lut(4096, 0, 12, gamma(4096, 12, 2.2))])
    make("voi-lut-us", VOILUTSequence=[lut(1024, 1000, 10, gamma(1024, 10, 0.7), data_vr="US", words=False)])
    make("voi-lut-and-window", VOILUTSequence=[lut(4096, 0, 12, gamma(4096, 12, 2.2))], **window)
    make("voi-lut-65536", bits=16, VOILUTSequence=[lut(65536, 0, 16, gamma(65536, 16, 0.4))])
    make("voi-lut-signed", signed=True, VOILUTSequence=[lut(4096, -2048, 12, gamma(4096, 12, 2), sign="SS")])
    make("voi-lut-implicit", syntax=ImplicitVRLittleEndian, signed=True, VOILUTSequence=[lut(4096, -2048, 12, gamma(4096, 12, 2), sign="SS")])
    make("padding", PixelPaddingValue=0, **window)
    make("padding-range", PixelPaddingValue=0, PixelPaddingRangeLimit=600)
    make("padding-range-down", PixelPaddingValue=4095, PixelPaddingRangeLimit=3000, photometric="MONOCHROME1")
    make("padding-signed", signed=True, PixelPaddingValue=-2048, PixelPaddingRangeLimit=-1500, syntax=ImplicitVRLittleEndian)


main(*sys.argv[1:])
