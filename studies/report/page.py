"""The report page."""

from __future__ import annotations


def render_page(study, records, found, spent):  # draft
    return "<html></html>"
