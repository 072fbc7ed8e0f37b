"""Simulated devices that stand below the real drivers. Not part of what ships.

`passport`, `reader`, `lane` and `camera` are the devices; `site` puts them around the real daemons,
`rehearsal` plays the `scenarios`, `telling` tells how it went.
"""
