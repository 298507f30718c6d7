# What all trainings of a detector share. What differs from one adaptation to the next (steps, batch, learning rate,
# size, teacher) is not here but in configs/adaptation.toml. See docs/training.md.
augmentation = dict(
    scale=(0.5, 1.6),  # of the picture against the training size: people nearer and farther than they were
    towards_person=0.5,  # share of pictures that are moved so that somebody's head comes to a place drawn at random
    flip=0.5,  # share of pictures that are mirrored
    shown=0.2,  # of a labelled box that must stay visible, else it becomes an ignored region
    occluder=0.3,  # share of people over whom something is put
    occluded=(0.1, 0.5),  # of such a person's box, each side's share that is covered
    gain=(0.6, 1.5),  # brightness, theatre lights on and off
    colour_gain=(0.9, 1.1),  # per colour, differing white balance
    gamma=(0.7, 1.4),
    grey=0.1,  # share of pictures without colour
    blur=0.2,  # share of pictures blurred ...
    blur_sigma=(0.4, 1.5),  # px ... by this
    jpeg=0.4,  # share of pictures compressed ...
    jpeg_quality=(25, 80),  # ... to this quality
    noise=0.3,  # share of pictures with noise ...
    noise_sigma=(2.0, 12.0),  # grey levels ... of this size
)

gradient_clip = 10.0  # largest norm of a step's gradient
average_momentum = 0.02  # share of the newest weights in the moving average that is kept: about the last 50 steps
warm_up_share = 0.05  # of the training, in which the learning rate rises
final_rate = 0.05  # of the learning rate, at the end
frozen_norms = True  # statistics of batch normalizations stay; there are none in a YOLOX that starts from ONNX
bfloat16 = False  # compute in it where the processor can: twice as fast, where a model's losses allow it
