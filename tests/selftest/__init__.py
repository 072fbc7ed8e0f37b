"""Tests of what technicians find out and measure."""
