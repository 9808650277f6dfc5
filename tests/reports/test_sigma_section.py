"""The uncertainty of joints in the report: what was measured, and nothing where there is none."""

import re

import numpy as np
import pytest
from heads import without_unit

from rhobin.metrics.human import HumanErrors
from rhobin.metrics.human_track import HumanScore
from rhobin.metrics.protocol import HUMAN_MODES
from rhobin.metrics.submission import Example
from rhobin.reports.sigma_section import sigma_section
from rhobin.scoring.collect import Further
from rhobin.scoring.document import ScoredRow, read_scores, write_scores
from rhobin.scoring.joint_errors import judged_joints
from rhobin.scoring.joint_lines import SIGMA


def written(folder, sequences):
    """The row of 120 frames, written and read back."""
    rng, count = np.random.default_rng(0), 120
    examples = tuple(
        Example(f"Date01_Sub{i % sequences:02d}_stool", f"t{i:04d}", "stool", i, i, 0.9) for i in range(count)
    )
    sigma = rng.uniform(10, 200, (count, 29))
    error = rng.exponential(size=(count, 24)) * sigma[:, :24] * 1.5
    error[:, 0] = 0
    none = np.zeros((count, 9))
    errors = HumanErrors(error.mean(1), error.mean(1), error, error, none, none, np.zeros((count, 3, 3)))
    score = HumanScore(examples, errors, count, 1.0, (), HUMAN_MODES["official"])
    names = (np.array([getattr(e, part) for e in examples]) for part in ("sequence", "frame"))
    scores, _ = judged_joints({"human": {"duel": ScoredRow(score)}}, "duel", Further(*names, {SIGMA: sigma}))
    write_scores(folder, scores, {"row": "duel"})
    return read_scores(folder)[0]["tracks"]["human"]["duel"]


@pytest.mark.parametrize("sequences", [12, 1])
def test_the_section_shows_what_was_measured(tmp_path, sequences):
    row = written(tmp_path, sequences)
    html, told = sigma_section(row), row["joint_errors"]
    assert without_unit(html) == []
    shown = [key for key in ("as_given", "calibrated", "each_mean") if key in told]
    assert len(shown) == (3 if sequences > 1 else 2)
    for key in shown:
        assert f">{told[key]['spearman']:.3f}<" in html
        assert f">{told[key]['calibration_error_mm']:.1f}<" in html
    knees = [told["by_joint"][f"{side}_knee"]["error_mm"] for side in ("left", "right")]
    assert f'<td>knee</td><td class="n">{np.mean(knees):.1f}<' in html
    assert html.count("<figure") == 2
    assert html.count("<polyline") == 2 * len(shown)
    assert ("nothing is left to calibrate on" in html) == (sequences == 1)
    assert not re.search(r"nan|None|inf\b", re.sub(r"<[^>]*>", "", html))


def test_without_an_uncertainty_there_is_no_section():
    assert sigma_section({"scores": {}}) == sigma_section({}) == ""
