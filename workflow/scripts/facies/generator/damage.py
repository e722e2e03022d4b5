"""Damage like that by weak generators: the perception network is trained and tested on it.

Images are (n, 3, r, r) in [-1, 1] of FFHQ's crop; strengths are (n,) or (n, k), zero for none.
"""

import dataclasses

import torch
import torch.nn.functional as F

# Both eyes and the mouth as fractions of the crop, across and down (see `alignment.ffhq_quad`).
PARTS = torch.tensor([[0.375, 0.476], [0.625, 0.476], [0.5, 0.714]])
PART_SIZE = 0.06  # standard deviation of a lost part, as a fraction of the crop
REACH = 6  # pixels to each side that a blur takes in


def blur(images: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Gaussian blur, standard deviation in pixels; the border is reflected."""
    n, c, h, w = images.shape
    place = torch.arange(-REACH, REACH + 1, device=images.device)
    taps = torch.exp(-0.5 * (place / sigma.clamp(min=1e-3)[:, None]) ** 2)
    taps = (taps / taps.sum(dim=1, keepdim=True)).repeat_interleave(c, dim=0)[:, None]
    x = F.pad(images, [REACH] * 4, mode="reflect").reshape(1, n * c, h + 2 * REACH, w + 2 * REACH)
    x = F.conv2d(x, taps[:, :, None, :], groups=n * c)
    return F.conv2d(x, taps[:, :, :, None], groups=n * c).view(n, c, h, w)


def speckle(images: torch.Tensor, sd: torch.Tensor) -> torch.Tensor:
    """Independent noise, standard deviation as a fraction of the range."""
    return images + 2 * sd[:, None, None, None] * torch.randn_like(images)


def lose_parts(images: torch.Tensor, centres: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """Smear positions (n, k, 2), fractions across and down, by strengths (n, k) from 0 to 1."""
    size = images.shape[-1]
    place = (torch.arange(size, device=images.device) + 0.5) / size
    hills = torch.exp(-0.5 * ((place - centres[..., None]) / PART_SIZE) ** 2)  # (n, k, 2, size)
    across, down = hills.unbind(2)
    masks = (1.5 * down[..., :, None] * across[..., None, :]).clamp(max=1)
    mask = (masks * strength[..., None, None]).amax(dim=1)[:, None]
    smeared = blur(images, torch.full([len(images)], 0.08 * size, device=images.device))
    return images.lerp(smeared, mask)


def tint(images: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """Change the strength of each colour (n, 3) by a fraction."""
    return (images + 1) * (1 + gain[:, :, None, None]) - 1


def misplace(images: torch.Tensor, move: torch.Tensor, bend: torch.Tensor) -> torch.Tensor:
    """Shift across and down, turn and enlarge (n, 4), and bend by a smooth random field.

    Shifts and bends are fractions of the crop, turns radians, enlargements logarithms.
    """
    across, down, turn, grow = move.unbind(1)
    c, s = turn.cos() * grow.exp(), turn.sin() * grow.exp()
    rows = [c, -s, 2 * across, s, c, 2 * down]
    matrix = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    field = torch.randn(len(images), 2, 5, 5, device=images.device) * 2 * bend[:, None, None, None]
    field = F.interpolate(field, images.shape[2:], mode="bicubic").permute(0, 2, 3, 1)
    return F.grid_sample(images, grid + field, padding_mode="reflection", align_corners=False)


@dataclasses.dataclass(frozen=True)
class Damage:
    """Strengths of every kind of damage to n images."""

    sigma: torch.Tensor  # (n,)
    sd: torch.Tensor  # (n,)
    centres: torch.Tensor  # (n, 4, 2): eyes, mouth, and anywhere
    lost: torch.Tensor  # (n, 4)
    gain: torch.Tensor  # (n, 3)
    move: torch.Tensor  # (n, 4)
    bend: torch.Tensor  # (n,)

    @classmethod
    def random(cls, n: int) -> "Damage":
        """Each kind spares half of the images or more; the rest run from slight to gross."""

        def some(*shape):
            return (torch.rand(n, *shape) < 0.5).float()

        anywhere = torch.rand(n, 1, 2) * 0.8 + 0.1
        return cls(
            sigma=some() * 2 * torch.rand(n),
            sd=some() * 0.1 * torch.rand(n),
            centres=torch.cat([PARTS.expand(n, 3, 2), anywhere], dim=1),
            lost=some(1) * some(4) * torch.rand(n, 4),
            gain=some(1) * 0.1 * torch.randn(n, 3),
            move=some(1) * torch.tensor([0.03, 0.03, 0.08, 0.05]) * torch.randn(n, 4),
            bend=some() * 0.02 * torch.rand(n),
        )

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        images = misplace(images, self.move, self.bend)
        images = lose_parts(images, self.centres, self.lost)
        images = speckle(blur(images, self.sigma), self.sd)
        return tint(images, self.gain).clamp(-1, 1)

    def strengths(self) -> torch.Tensor:
        """What the perception network learns to predict, (n, 14)."""
        single = torch.stack([self.sigma, self.sd, self.bend], dim=1)
        return torch.cat([single, self.lost, self.gain, self.move], dim=1)
