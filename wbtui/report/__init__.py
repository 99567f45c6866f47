"""Tables of runs as text, Markdown, LaTeX, CSV and JSON."""
