"""From files to raw cells: nothing of a file is believed before it was looked at."""
