"""Preludes: what the program of a cell begins with, in each language; without packages of that language."""
