"""The dashboard: a small web service that keeps and shows the history of many machines.

It is an extra (`pip install "hullwright[dashboard]"`), and its commands are those of
`python -m hullwright.dashboard`: `migrate`, `serve` and `healthcheck`.
"""
