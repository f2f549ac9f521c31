"""Tests of the peers: python3 -m unittest discover -s peers/tests -t ."""
