"""Define and run: what is measured, and the campaign that measures it.

Modules at this level run inside a measured interpreter (Python 3.10 or newer, the standard library,
pyperf and the event loop only); ``benchmarks.campaign`` is the driver, which never runs there.
"""
