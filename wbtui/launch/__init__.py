"""Processes around a run: waiter, start, stop, attach, resume."""
