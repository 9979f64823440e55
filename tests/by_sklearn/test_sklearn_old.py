"""What older versions of scikit-learn train and save answers 10,000 rows as our models do."""

from __future__ import annotations

from pathlib import Path

import pytest
from compare import difference, train

from environments import python_of
from qingzhou.errors import UnsupportedCheckpoint

pytestmark = pytest.mark.sklearn_old
SILENT = {  # refused, since 1.2 does not say what they answer with: tests/sources/test_sklearn_refused.py
    "sklearn12": {"dummy", "dummy_regressor", "dummy_constant", "histogram_categories", "pls", "pls_canonical", "cca"},
}


@pytest.mark.parametrize("version", ["sklearn12", "sklearn15", "sklearn17"])
def test_what_older_versions_write(version: str, tmp_path: Path) -> None:
    """All that they can train; what they cannot is said by them and left out."""
    said = train(python_of(version), tmp_path)
    made = {path.stem for path in tmp_path.glob("*.npz")}
    assert len(made) > 180, said[-3000:]
    silent = made & SILENT.get(version, set())
    found = {name: difference(tmp_path, name, tmp_path / "model.onnx") for name in sorted(made - silent)}
    assert not {name: what for name, what in found.items() if what}
    for name in silent:
        with pytest.raises(UnsupportedCheckpoint, match=r"\(.*1\.2\.2"):
            difference(tmp_path, name, tmp_path / "model.onnx")
