"""A page opened in a real Chromium, and everything that it did meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Dialog, Page

INSIDE = ("data:", "blob:", "about:")


class Visit:
    """One visit: console errors, uncaught errors, dialogs, and where the page asked for something."""

    def __init__(self, page: Page) -> None:
        """Listen from the beginning."""
        self.page = page
        self.troubles: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", self._note_dialog)
        page.on("request", lambda request: self.requests.append(request.url))

    def assert_quiet(self, place: str) -> None:
        """It said nothing in the console, opened no dialog, and asked for nothing outside of a place."""
        assert self.troubles == []
        assert [url for url in self.requests if not url.startswith((place, *INSIDE))] == []

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.type}: {message.text}")

    def _note_dialog(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()
