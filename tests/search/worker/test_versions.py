"""What is recorded of a study's software, and what nodes must have alike."""

from __future__ import annotations

from search.worker.versions import node_versions, recorded_versions, version_differences


def test_versions_name_what_results_depend_on() -> None:
    """Python and the packages that compute."""
    versions = recorded_versions()
    assert versions.keys() >= {"python", "dicecurve", "torch", "monai", "ray", "optuna", "sqlalchemy", "numpy"}
    assert all(versions.values())


def test_a_node_that_differs_is_described() -> None:
    """Every difference is named; builds of one version for other processors are the same."""
    wanted = node_versions()
    assert version_differences(wanted, wanted) is None
    assert "+" not in wanted["torch"]
    text = version_differences(wanted, wanted | {"monai": "1.0.0", "code": "0"})
    assert text is not None
    assert f"monai 1.0.0, not {wanted['monai']}" in text
    assert f"code 0, not {wanted['code']}" in text
