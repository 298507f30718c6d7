# Fine-tuning of a YOLOX that finds people and heads in one pass to a site; it starts from an ONNX export of both.
_base_ = "yolox_tiny.py"
custom_imports = dict(imports=["or_mv_anon.openmmlab.classwise"], allow_failed_imports=False)

model = dict(
    type="ClasswiseYOLOX",
    bbox_head=dict(type="ClasswiseYOLOXHead", num_classes=2),  # person, head
)
