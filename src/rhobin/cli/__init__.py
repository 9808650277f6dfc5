"""Commands; each module configures a parser and runs, and imports what it needs only then."""
