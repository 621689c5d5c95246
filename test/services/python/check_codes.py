"""Holds a table of codes, JSON on stdin, against pydicom's tables of PS3.16: prints one JSON object, name -> verdict."""

import json
import sys

from pydicom.sr._concepts_dict import concepts

known = {}
for scheme, names in concepts.items():
    for codes in names.values():
        for value, (meaning, _) in codes.items():
            known.setdefault((scheme, value), set()).add(meaning)


def verdict(code):
    meanings = known.get((code["CodingSchemeDesignator"], code["CodeValue"]))
    if meanings is None:
        return "unknown"
    return "same" if code["CodeMeaning"] in meanings else " | ".join(sorted(meanings))


print(json.dumps({name: verdict(code) for name, code in json.load(sys.stdin).items()}))
