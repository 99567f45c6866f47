"""The widgets: thin, drawn line by line from plotting canvases and plain text."""
