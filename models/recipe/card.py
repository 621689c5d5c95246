"""CARD.md of a trained model: what can be told from the run itself. The sections that need a person are marked TO WRITE."""

LICENCES = {
    "ChestX-ray14": "NIH Clinical Center, no restriction; cite Wang X et al., ChestX-ray8, CVPR 2017",
    "Kermany paediatric": "CC BY 4.0; cite Kermany DS et al., Cell 172, 2018",
}


def table(head: tuple[str, ...], rows: list[tuple]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def data_table(log: dict) -> str:
    counts: dict[tuple, dict[str, int]] = {}
    for cell in log["data"]:
        counts.setdefault((cell["part"], cell["source"], cell["view"] or "not told"), {})[cell["label"]] = cell["films"]
    rows = [(*key, *(of.get(label, 0) for label in ("opacity", "none", "other"))) for key, of in sorted(counts.items())]
    return table(("part", "source", "view", "opacity", "none", "other"), rows)


def figures_table(final: dict) -> str:
    rows = [(part, group, "n/a" if f["auc"] is None else f"{f['auc']:.3f}", f["opacity"], f["none"])
            for part in ("tune", "check") for group, f in final[part].items()]
    return table(("part", "films", "AUC", "opacity", "none"), rows)


def calibration_text(calibration: dict | None) -> str:
    if calibration is None:
        return "**Not calibrated**: the score is no probability, and the operating point of 0.5 was chosen by nobody."
    rows = [(part, *(calibration[part][key] for key in ("opacity", "none", "ece_before", "ece", "sensitivity", "specificity")))
            for part in ("tune", "check")]
    told = (f"{calibration['method'].capitalize()} on `tune` groups of {calibration['source']}, folded into the last layer "
            f"(a = {calibration['a']:.4f}, c = {calibration['c']:.4f}). Operating point {calibration['operating_point']:.4f}: "
            f"{calibration['rule']} on `tune`.")
    return told + "\n\n" + table(("part", "opacity", "none", "ECE before", "ECE", "sensitivity", "specificity"), rows)


def runs_table(log: dict) -> str:
    keys = ("minutes", "of", "schedule", "batch", "rate", "decay", "horizon", "seed", "flip", "resume")
    rows = [(run["device"], run["torch"], ", ".join(f"{key} {run['settings'].get(key)}" for key in keys)) for run in log["runs"]]
    return table(("device", "PyTorch", "settings"), rows)


def steps_text(steps: list[dict]) -> str:
    return "; ".join(" ".join(str(value) for value in step.values()) for step in steps)


def card(manifest: dict, log: dict, calibration: dict | None, differences: dict) -> str:
    final = log["final"]
    licences = "\n".join(f"- {source}: {LICENCES[source]}." for source in sorted({cell["source"] for cell in log["data"]}))
    return f"""# {manifest["name"]}

**{manifest["intendedUse"]}**

| | |
|---|---|
| Network | ResNet-101, trained from random weights; two classes, none and opacity |
| Input | {steps_text(manifest["preprocess"])} |
| Weights | sha256 {manifest["weights"]["sha256"]} |
| Trained for | {final["step"]} steps, {final["epoch"]} epochs, {final["minutes"]} minutes, read at {final["size"]} px |
| Made by | `models/recipe` (`log.json` beside this card holds every setting and every epoch) |

## Data

{licences}

Labels of ChestX-ray14 are text-mined, not adjudicated by radiologists. `other` films train the findings alone.
`tune` groups chose calibration and operating point; `check` groups are in no choice. A group (patient) is in one part only.

{data_table(log)}

## Held-out figures, within each source

On the packed films at {final["size"]} px; `cxr-gateway evaluate` gives those of the reader's own path, with intervals.

{figures_table(final)}

## Calibration

{calibration_text(calibration)}

## Grad-CAM and the graph

The map in the graph against a backward pass of PyTorch on {differences["films"]} films: largest difference
{differences["map"]:.1e} of the film's hottest cell; of p(opacity), PyTorch against ONNX Runtime: {differences["probability"]:.1e}.
Deepest red: {manifest["heat"]["max"]}.

## Training

{runs_table(log)}

## To write by whoever ships this

TO WRITE: cross-source figures; checks for shortcuts (edges, corners, lungs masked; resolution and aspect equalised); agreement of
the text-mined labels with adjudicated ones; failures looked at; limits; the paper's published comparisons and why they do not compare.
"""
