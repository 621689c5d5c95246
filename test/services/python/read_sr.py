"""Reads Structured Reports as a stranger would, with highdicom and pydicom: one JSON line a file, in the order given."""

import json
import sys

import highdicom as hd
from pydicom import dcmread


def coded(item):
    return f"{item.value},{item.scheme_designator}"


def concept(item):
    return coded(item.name)


def references(items, name):
    return [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in items
        if item.ValueType == "IMAGE" and item.ConceptNameCodeSequence[0].CodeValue == name
    ]


def texts(items, name):
    return [
        item.TextValue
        for item in items
        if item.ValueType == "TEXT" and item.ConceptNameCodeSequence[0].CodeValue == name
    ]


def group(found):
    items = found[0].ContentSequence
    [measurement] = found.get_measurements()
    [outline] = [item for item in items if item.ValueType == "SCOORD"]
    return {
        "trackingIdentifier": found.tracking_identifier,
        "trackingUid": found.tracking_uid,
        "finding": None if found.finding_type is None else coded(found.finding_type),
        "findingSites": [coded(site.value) for site in found.finding_sites],
        "measurement": [concept(measurement), measurement.value, coded(measurement.unit)],
        "evaluations": {concept(item): coded(item.value) for item in found.get_qualitative_evaluations()},
        "sources": [image.referenced_sop_instance_uid for image in found.source_images],
        "explanations": references(items, "130401"),
        "algorithm": {
            "name": texts(items, "111001"),
            "version": texts(items, "111003"),
            "manufacturer": texts(items, "122405"),
            "parameters": texts(items, "111002"),
        },
        "region": [outline.GraphicType, [float(value) for value in outline.GraphicData]],
        "regionOf": outline.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID,
    }


def read(path):
    plain = dcmread(path)
    report = hd.sr.srread(path)
    evidence = plain.CurrentRequestedProcedureEvidenceSequence
    [equipment] = plain.ContributingEquipmentSequence
    return {
        "class": type(report).__name__,
        "title": coded(hd.sr.CodedConcept.from_dataset(plain.ConceptNameCodeSequence[0])),
        "characterSet": plain.SpecificCharacterSet,
        "patientName": [str(group) for group in plain.PatientName.components],
        "patientId": plain.PatientID,
        "accessionNumber": plain.AccessionNumber,
        "groups": [group(found) for found in report.content.get_image_measurement_groups()],
        "evidence": sorted(
            instance.ReferencedSOPInstanceUID
            for study in evidence
            for series in study.ReferencedSeriesSequence
            for instance in series.ReferencedSOPSequence
        ),
        "equipment": {
            "manufacturer": equipment.Manufacturer,
            "model": equipment.ManufacturerModelName,
            "version": equipment.SoftwareVersions,
            "deviceUid": equipment.DeviceUID,
        },
    }


for argument in sys.argv[1:]:
    print(json.dumps(read(argument), ensure_ascii=False))
