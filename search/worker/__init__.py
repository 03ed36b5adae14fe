"""What a worker is told, what it reports, and what it draws; free of Ray."""
