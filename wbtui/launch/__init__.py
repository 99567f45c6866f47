"""Processes around a run: waiter, start, stop, resume, queue, samples of what they use."""
