"""From a spec to a laid-out study: data prepared, identity checked, cells written."""
