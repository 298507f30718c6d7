# A narrow YOLOX that learns from a site's labels and, everywhere in the picture, from the wide network it was cut from.
_base_ = "yolox_tiny.py"

model = dict(bbox_head=dict(taught="all"))
