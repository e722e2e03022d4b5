"""StyleGAN2 in plain PyTorch: networks, their files, training and quality.

Takes: checkpoints and aligned photos. Gives: a fine-tuned generator and its evaluation.
Imports: common, photos.
"""
