# The same of a network that finds people and heads in one pass.
_base_ = "yolox_student.py"
custom_imports = dict(imports=["or_mv_anon.openmmlab.classwise"], allow_failed_imports=False)

model = dict(
    type="ClasswiseYOLOX",
    bbox_head=dict(type="ClasswiseYOLOXHead", num_classes=2),  # person, head
)
