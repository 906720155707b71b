"""Pictures as one HTML file each: no script, no outside resource, light and dark, printable.

A page is a title, facts and figures; a figure is a frozen value that knows its own markup. Every
picture stands beside a table that says the same in words.
"""
