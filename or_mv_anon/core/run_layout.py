"""The names of what lies in a run folder; `docs/file-formats.md` describes them, and a test holds it to that."""

INDEX = "index.json"
STORE_FOLDER = "stages"

TABLES = {  # of a camera, and the record that each holds; those of a segment have its number behind the name
    "frames": "Frames",
    "persons": "Detections",
    "faces": "Detections",
    "static_heads": "Detections",
    "keypoints": "Keypoints",
    "embeddings": "Embeddings",
    "tracks": "Tracks",
    "face_tracks": "Tracks",
    "recovered": "Tracks",
    "identities": "Identities",
    "transferred": "TransferredHeads",
    "disagreements": "Disagreements",
    "regions": "Regions",
    "blocks": "BlockHashes",
    "judgements": "Judgements",
    "verdicts": "Verdicts",
}
