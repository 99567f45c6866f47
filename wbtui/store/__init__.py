"""The run folder: the one contract that everything else writes or reads."""
