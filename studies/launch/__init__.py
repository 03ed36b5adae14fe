"""From a spec to a laid-out study: data prepared, identity and locations checked, cells written."""
