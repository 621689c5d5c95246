"""The bytes of the patient's name in DICOM files, with the character set that they stand under, and what pydicom reads in them.

usage: raw_names.py FILE...
Prints one JSON line a file: {"charset": "ISO_IR 100", "hex": "c46e...", "name": "..."}. A name inside of a sequence is taken where the
data set has none of its own.
"""

import json
import sys
import warnings

import pydicom

warnings.simplefilter("ignore")
CHARSET, NAME = 0x00080005, 0x00100010


def holders(dataset, charset):
    """Every data set, this one first, with the character set that holds in it."""
    own = dataset[CHARSET].value if CHARSET in dataset else charset
    yield dataset, own
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from holders(item, own)


for file in sys.argv[1:]:
    bytes_of = pydicom.dcmread(file, force=True, stop_before_pixels=True)
    decoded = pydicom.dcmread(file, force=True, stop_before_pixels=True)
    decoded.decode()
    for (raw, charset), (text, _) in zip(holders(bytes_of, ""), holders(decoded, "")):
        element = raw.get_item(NAME)
        if element is not None:
            break
    terms = [charset] if isinstance(charset, str) else list(charset)
    value = element.value if isinstance(element.value, bytes) else element.value.original_string
    print(json.dumps({"charset": "\\".join(terms), "hex": value.hex(), "name": str(text[NAME].value)}))
