"""One file a net family: a literal `NETS` table, read without torch by wbtui/catalog.py, and `build`."""
