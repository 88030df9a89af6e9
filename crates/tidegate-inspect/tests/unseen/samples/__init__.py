"""Labelled sample generator."""
