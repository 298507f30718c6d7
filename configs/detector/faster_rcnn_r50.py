# Fine-tuning of a Faster R-CNN with a ResNet-50 and a feature pyramid, from your own mmdet checkpoint (.pth).
_base_ = ["mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py", "base.py"]

model = dict(_scope_="mmdet", backbone=dict(init_cfg=None), roi_head=dict(bbox_head=dict(num_classes=1)))
optimizer = dict(type="AdamW", weight_decay=0.0005)
