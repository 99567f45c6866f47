"""The screens: runs, one run, start, queue, and the small ones that ask or show something."""
