"""The dashboard: every screen of it, and the only room that imports textual."""
