# A narrow YOLOX that learns from a site's labels and, everywhere in the picture, from the wide network it was cut from.
_base_ = "yolox_tiny.py"

model = dict(bbox_head=dict(taught="all"))

# Milder than its teacher's: it works where it was taught, and has no channels to spare for other rooms.
augmentation = dict(
    scale=(0.8, 1.25),
    towards_person=0.25,
    occluder=0.15,
    gain=(0.75, 1.3),
    colour_gain=(0.95, 1.05),
    gamma=(0.85, 1.2),
    grey=0.03,
    blur=0.1,
    blur_sigma=(0.4, 1.0),
    jpeg=0.3,
    noise=0.2,
    noise_sigma=(2.0, 8.0),
)
average_momentum = 0.05  # about the last 20 steps: a network that changes so much leaves a longer average behind
