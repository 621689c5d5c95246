"""Writes packed films as DICOM CR files, to compare the reader's scores with those of PyTorch (needs pydicom).

    python as_dicom.py films 20 OUT MODELFOLDER TARGET
    node src/main.ts read TARGET --json > reader.jsonl       # with the model in use
    python as_dicom.py --compare TARGET/scores.json reader.jsonl

The films are enlarged to 512 px first, since the reader refuses small ones, and scored as enlarged. The window is the identity on 0..255, and nobody's name is in the header.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from export import films_of, trained_network
from preprocess import load_steps, prepare

SIDE = 512
COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"


def enlarged(film: np.ndarray) -> np.ndarray:
    """8-bit film of SIDE × SIDE; the only one that both are asked about."""
    return np.asarray(Image.fromarray(np.rint(film * 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def cr_of(film: np.ndarray, number: int) -> Dataset:
    """A frontal adult CR of 8 bits."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = COMPUTED_RADIOGRAPHY
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = f"RECIPE-{number}", "", "19700101", ""
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "20250101", "120000", "1", "", ""
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition, ds.ImageType = "CR", "CHEST", "PA", ["ORIGINAL", "PRIMARY"]
    ds.SeriesNumber, ds.InstanceNumber = 1, 1
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.Rows, ds.Columns = film.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.WindowCenter, ds.WindowWidth = 128, 256
    ds.PixelData = film.tobytes()
    return ds


def write(pack: Path, most: int, out: Path, model_folder: Path, target: Path) -> None:
    """DICOM files and, by file, the score of PyTorch."""
    calibrated = out / "calibration.json"
    network = trained_network(out, json.loads(calibrated.read_text()) if calibrated.exists() else None)
    steps = json.loads((model_folder / "model.json").read_text())["preprocess"]
    if steps != load_steps():
        raise ValueError(f"{model_folder} prepares films in another way than preprocess.json")
    target.mkdir(parents=True, exist_ok=True)
    scores = {}
    for number, film in enumerate(films_of(pack, most, "check")[1]):
        film = enlarged(film)
        cr_of(film, number).save_as(target / f"{number:03}.dcm", enforce_file_format=True)
        with torch.no_grad():
            logits = network(torch.from_numpy(prepare(film / np.float32(255), steps)[None]))[0]
        scores[f"{number:03}.dcm"] = torch.softmax(logits, 1)[0, 1].item()
    (target / "scores.json").write_text(json.dumps(scores))
    print(f"{target}: {len(scores)} films")


def compare(scores: Path, reader: Path) -> None:
    expected = json.loads(scores.read_text())
    lines = [json.loads(line) for line in reader.read_text().splitlines() if line.startswith("{")]
    got = {Path(line["file"]).name: line["score"] for line in lines if line["score"] is not None}
    missing = sorted(set(expected) - set(got))
    worst = max((abs(got[name] - expected[name]) for name in expected if name in got), default=float("nan"))
    print(f"{len(expected) - len(missing)} of {len(expected)} films read, largest |Δp| {worst:.1e}; without a score: {missing}")
    sys.exit(0 if not missing and worst <= 1e-4 else 1)


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        compare(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        write(Path(sys.argv[1]), int(sys.argv[2]), *(Path(p) for p in sys.argv[3:6]))
