"""One database: URL, engine, schema, retries, a private server."""
