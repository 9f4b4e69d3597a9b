"""Other programs on the same problems, in the same seconds: eight of DeepXDE's own examples, at their own settings.

`python -m experiments.peers` measures, and `….summary` prints what it found. The examples were chosen before the first
run: two ordinary differential equations, of which one has order four, two linear elliptic equations, of which one has a
corner, two parabolic ones, a flow, and an inverse problem. All of them run in the version of the package index.
"""
