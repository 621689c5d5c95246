"""The texts of DICOM files as pydicom decodes them.

usage: texts.py FILE...
Prints one JSON line a file: {path: [value, ...]} for standard attributes with a text VR, with paths such as
"00400275/0/00400007"; or {"error"}.
"""

import json
import sys
import warnings

import pydicom
from pydicom.multival import MultiValue

warnings.simplefilter("ignore")
TEXT = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}


def texts(dataset, prefix=""):
    found = {}
    for element in dataset:
        if element.tag.is_private:
            continue
        path = f"{prefix}{element.tag:08X}"
        if element.VR == "SQ":
            for index, item in enumerate(element.value):
                found.update(texts(item, f"{path}/{index}/"))
        elif element.VR in TEXT and element.value:
            values = element.value if isinstance(element.value, (MultiValue, list)) else [element.value]
            found[path] = [str(value).strip(" \0") for value in values]
    return found


for file in sys.argv[1:]:
    try:
        dataset = pydicom.dcmread(file, force=True, stop_before_pixels=True)
        dataset.decode()
        print(json.dumps(texts(dataset)))
    except Exception as error:  # a file that pydicom cannot read is a line too
        print(json.dumps({"error": repr(error)}))
