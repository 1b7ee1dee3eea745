"""How a practice begins: templates, older workbooks, exports of other systems."""
