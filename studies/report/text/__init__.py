"""Numbers and sentences as a person reads them, where several commands share them: terminal, page, paper."""
