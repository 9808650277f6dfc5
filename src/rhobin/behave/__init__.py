"""Reading and writing BEHAVE releases."""
