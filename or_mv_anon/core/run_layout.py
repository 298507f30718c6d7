"""The names of what lies in a run folder."""

INDEX = "index.json"
STORE_FOLDER = "stages"
