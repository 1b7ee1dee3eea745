"""The mistakes people make in spreadsheets, each made in a real file, and what is said."""
