"""Counts what a chaos run left behind, as a stranger would: the archive's files by pydicom, the FHIR resources as JSON. Knows nothing of
the gateway but the standards that it writes by. Prints the findings and a line of sums; ends with 1 if there is one finding.

    audit.py FOLDER      studies.json   what was sent, and what must become of each film
                         archive/       every object of the archive, one file each
                         fhir.jsonl     every version of every resource of the FHIR server, oldest first
                         sent.jsonl     SOP Instance UID and SHA-256 of each object of each STOW request, in order
                         gateway*.json  what the API of each gateway says of each study
                         gateway*.log   what each logged
"""

import hashlib
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from pydicom import dcmread

COMPREHENSIVE_SR = {"1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.34"}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MEASUREMENT_GROUP, SOURCE_OF_MEASUREMENT = "125007", "121112"

KINDS = ["lost", "duplicate", "wrong patient", "other bytes", "disagreement", "no reason", "told"]


class Findings:
    def __init__(self):
        self.rows = []

    def add(self, kind, text):
        self.rows.append((kind, text))

    def sums(self):
        counts = Counter(kind for kind, _ in self.rows)
        return ", ".join(f"{kind} {counts[kind]}" for kind in KINDS)


def concept(item):
    names = item.get("ConceptNameCodeSequence")
    return names[0].CodeValue if names else None


def groups(item):
    """Measurement groups anywhere in the tree: (source images, score)."""
    for child in item.get("ContentSequence", []):
        if child.ValueType == "CONTAINER" and concept(child) == MEASUREMENT_GROUP:
            content = child.get("ContentSequence", [])
            images = [
                part.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
                for part in content
                if part.ValueType == "IMAGE" and concept(part) == SOURCE_OF_MEASUREMENT
            ]
            scores = [float(part.MeasuredValueSequence[0].NumericValue) for part in content if part.ValueType == "NUM"]
            yield images, scores
        else:
            yield from groups(child)


def predecessors(report):
    for study in report.get("PredecessorDocumentsSequence", []):
        for series in study.ReferencedSeriesSequence:
            for reference in series.ReferencedSOPSequence:
                yield reference.ReferencedSOPInstanceUID


class Archive:
    def __init__(self, folder):
        self.reports, self.pictures, self.digests = defaultdict(list), defaultdict(list), {}
        self.count = Counter()
        for path in sorted(folder.iterdir()):
            data = path.read_bytes()
            header = dcmread(path, stop_before_pixels=True)
            uid = str(header.SOPInstanceUID)
            self.count[uid] += 1
            self.digests[uid] = hashlib.sha256(data).hexdigest()
            if header.SOPClassUID in COMPREHENSIVE_SR:
                self.reports[str(header.StudyInstanceUID)].append(header)
            elif header.SOPClassUID == SECONDARY_CAPTURE:
                self.pictures[str(header.StudyInstanceUID)].append(header)


class Fhir:
    def __init__(self, resources):
        self.versions = defaultdict(list)
        for resource in resources:
            self.versions[f"{resource['resourceType']}/{resource['id']}"].append(resource)
        self.by_sr = defaultdict(set)
        for key, versions in self.versions.items():
            if key.startswith("DiagnosticReport/"):
                for version in versions:
                    for identifier in version.get("identifier", []):
                        if identifier.get("system") == "urn:dicom:uid":
                            self.by_sr[identifier["value"].removeprefix("urn:oid:")].add(key)

    def current(self, reference):
        versions = self.versions.get(reference)
        return versions[-1] if versions else None

    def patient_id(self, subject):
        if "reference" in subject and not subject["reference"].startswith("#"):
            patient = self.current(subject["reference"]) or {}
            return {identifier["value"] for identifier in patient.get("identifier", [])}
        return {subject.get("identifier", {}).get("value")}


def check_study(study, archive, fhir, findings):
    uid, number = study["StudyInstanceUID"], study["PatientID"]
    reports, pictures = archive.reports[uid], archive.pictures[uid]
    due = {film["SOPInstanceUID"] for film in study["films"] if film["expected"] == "reported"}
    check_identity(study, [*reports, *pictures], findings)

    replaced = {gone for report in reports for gone in predecessors(report)}
    current = [report for report in reports if str(report.SOPInstanceUID) not in replaced]
    if len(current) > 1:
        findings.add("duplicate", f"{number}: {len(current)} current SRs")
    if due and not current:
        findings.add("lost", f"{number}: no SR")
    if not due and (reports or pictures):
        findings.add("duplicate", f"{number}: results of a study that has none")
    scores = check_groups(number, due, current, findings)
    check_pictures(number, due, pictures, findings)
    check_report(study, due, reports, current, scores, fhir, findings)


def check_identity(study, objects, findings):
    for result in objects:
        same = (result.PatientID, result.AccessionNumber) == (study["PatientID"], study["AccessionNumber"])
        if not same:
            findings.add("wrong patient", f"{study['PatientID']}: a {result.Modality} under another identity")


def check_reasons(study, told, findings):
    number = study["PatientID"]
    if told is None:
        return findings.add("lost", f"{number}: the gateway does not know the study")
    outcomes = {instance["sopInstanceUid"]: instance for instance in told["instances"]}
    for film in study["films"]:
        outcome = outcomes.get(film["SOPInstanceUID"])
        got = outcome and outcome["outcome"]
        if got != film["expected"]:
            findings.add("disagreement", f"{number}: a film is {got}, not {film['expected']}")
        if got in ("skipped", "quarantined") and not outcome["reason"]:
            findings.add("no reason", f"{number}: a film is {got} without a reason")


def check_groups(number, due, current, findings):
    scores = {}
    for report in current:
        if report.VerificationFlag != "UNVERIFIED":
            findings.add("disagreement", f"{number}: the SR counts as verified")
        for images, values in groups(report):
            if len(images) != 1 or len(values) != 1:
                findings.add("disagreement", f"{number}: a group with {len(images)} images and {len(values)} scores")
                continue
            if images[0] in scores:
                findings.add("duplicate", f"{number}: two groups for one film")
            scores[images[0]] = values[0]
    for film in due - set(scores):
        if current:
            findings.add("lost", f"{number}: a film that its SR does not report")
    for film in set(scores) - due:
        findings.add("disagreement", f"{number}: a score of a film that must not be read")
    return scores


def check_pictures(number, due, pictures, findings):
    of = Counter(picture.SourceImageSequence[0].ReferencedSOPInstanceUID for picture in pictures)
    for film in due:
        if of[film] == 0:
            findings.add("lost", f"{number}: no heat-map")
        if of[film] > 1:
            findings.add("duplicate", f"{number}: {of[film]} heat-maps of one film")
    if set(of) - due:
        findings.add("disagreement", f"{number}: a heat-map of a film that must not be read")


def check_report(study, due, reports, current, scores, fhir, findings):
    number = study["PatientID"]
    keys = {key for report in reports for key in fhir.by_sr[str(report.SOPInstanceUID)]}
    if len(keys) > 1:
        return findings.add("duplicate", f"{number}: {len(keys)} DiagnosticReports")
    if not keys:
        return findings.add("lost", f"{number}: no DiagnosticReport") if due else None
    [key] = keys
    versions = fhir.versions[key]
    if len(versions) > len(reports):
        findings.add("duplicate", f"{number}: {len(versions)} versions of the report for {len(reports)} SRs")
    latest = versions[-1]
    if latest["status"] != "preliminary":
        findings.add("disagreement", f"{number}: the report is {latest['status']}")
    named = {identifier["value"].removeprefix("urn:oid:") for identifier in latest["identifier"]}
    if current and str(current[0].SOPInstanceUID) not in named:
        findings.add("lost", f"{number}: the report is that of an earlier SR")
    if study["PatientID"] not in fhir.patient_id(latest["subject"]):
        findings.add("wrong patient", f"{number}: a DiagnosticReport about another patient")
    if study["admitted"] != ("reference" in latest["subject"] and latest["subject"]["reference"].startswith("Patient/")):
        findings.add("disagreement", f"{number}: a patient whom the EHR knows is not linked, or one whom it does not know is")
    observed = {}
    for result in latest["result"]:
        observation = fhir.current(result["reference"])
        if observation is None:
            findings.add("lost", f"{number}: an Observation that the report names")
            continue
        if study["PatientID"] not in fhir.patient_id(observation["subject"]):
            findings.add("wrong patient", f"{number}: an Observation about another patient")
        film = observation["derivedFrom"][0].get("display", "").removeprefix("Image ")
        observed[film] = [part["valueQuantity"]["value"] for part in observation.get("component", [])]
    if {film: [score] for film, score in scores.items()} != observed:
        findings.add("disagreement", f"{number}: SR and Observations differ")


def check_bytes(sent, archive, findings):
    first = {}
    for line in sent:
        uid, digest = line["uid"], line["sha256"]
        if first.setdefault(uid, digest) != digest:
            findings.add("other bytes", "an object was sent again with other bytes")
    for uid, digest in first.items():
        if uid in archive.digests and archive.digests[uid] != digest:
            findings.add("other bytes", "the archive holds other bytes than were sent first")
    for uid, count in archive.count.items():
        if count > 1:
            findings.add("duplicate", f"an object is there {count} times")


def check_told(studies, path, findings):
    told = {row["studyInstanceUid"]: row for row in json.loads(path.read_text())}
    for study in studies:
        check_reasons(study, told.get(study["StudyInstanceUID"]), findings)


def check_log(path, findings):
    with path.open(errors="replace") as log:
        for line in log:
            if "PHANTOM" in line or "TEST-" in line or "2.25." in line:
                findings.add("told", f"a line of {path.name} names a patient, an order or a UID")


def main(folder):
    findings = Findings()
    studies = json.loads((folder / "studies.json").read_text())
    archive = Archive(folder / "archive")
    with (folder / "fhir.jsonl").open() as lines:
        fhir = Fhir(json.loads(line) for line in lines)
    for study in studies:
        check_study(study, archive, fhir, findings)
    gateways, logs = sorted(folder.glob("gateway*.json")), sorted(folder.glob("gateway*.log"))
    if not gateways or [path.stem for path in gateways] != [path.stem for path in logs]:
        sys.exit(f"expected a log of each gateway and what it tells, got {len(gateways)} told and {len(logs)} logs")
    for path in gateways:
        check_told(studies, path, findings)
    for path in logs:
        check_log(path, findings)
    with (folder / "sent.jsonl").open() as lines:
        check_bytes(map(json.loads, lines), archive, findings)
    films = sum(len(study["films"]) for study in studies)
    due = sum(film["expected"] == "reported" for study in studies for film in study["films"])
    for kind, text in findings.rows[:50]:
        print(f"{kind}: {text}")
    print(f"{len(studies)} studies, {films} films, {due} to be reported")
    print(findings.sums())
    return 1 if findings.rows or not studies else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
