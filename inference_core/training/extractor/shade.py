"""The painter's kernels: skin, eyes, mouth and hair, pixel by pixel, in linear light. Camera space (OpenCV axes).

Every look is a function of the place on the template, so that it sticks to the surface whatever the pose.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inference_core.training.extractor import anatomy as a
from inference_core.training.extractor.light import Light, lit_at, sky_at
from inference_core.training.extractor.looks import BASE, BLOOD, MELANIN, EyeLook, HairLook, SkinLook
from inference_core.training.extractor.noise import Lattice, fractal_at, noise_at
from inference_core.training.extractor.textures import Surface

Float32s = NDArray[np.float32]
Labels = NDArray[np.uint8]

BACKGROUND, FACE, EYES, MOUTH_INSIDE, SKIN_OTHER, HAIR, OCCLUDER = range(7)
CLASS_NAMES = ("background", "face", "eyes", "mouth_inside", "skin_other", "hair", "occluder")

# Columns of `a.fields`, repeated as plain numbers: numba freezes globals, and wants them in its own module.
LIPS, BROWS, BEARD, OCCLUSION, IS_FACE, INSIDE = a.LIPS, a.BROWS, a.BEARD, a.OCCLUSION, a.FACE, a.INSIDE
TEETH, TONGUE, EYE_LEFT, EYE_RIGHT = a.TEETH, a.TONGUE, a.EYE_LEFT, a.EYE_RIGHT
SCALP, CROWN, FLUSH, LIDS = a.SCALP, a.CROWN, a.FLUSH, a.LIDS

SUBSURFACE = (0.32, 0.16, 0.08)  # how far light creeps past the terminator, per channel


@njit(cache=True, fastmath=True, inline="always")
def _smooth(low: float, high: float, x: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


COARSE, BLOTCH = a.FIELD_COUNT, a.FIELD_COUNT + 1  # columns that are drawn afresh for every sample


@njit(cache=True, fastmath=True)
def mottle(fields: Float32s, offset: Float32s, lattice: Lattice) -> Float32s:
    """(V, 2) slow changes of the skin's colour, COARSE and BLOTCH; too slow to be worth computing per pixel."""
    out = np.empty((fields.shape[0], 2), np.float32)
    ox, oy, oz = offset
    for i in range(fields.shape[0]):
        x, y, z = fields[i, 0], fields[i, 1], fields[i, 2]
        out[i, 0] = fractal_at(lattice, x * 55 + ox, y * 55 + oy, z * 55 + oz, 3)
        out[i, 1] = noise_at(lattice, x * 130 + oz, y * 130 + ox, z * 130 + oy)
    return out


@njit(cache=True, fastmath=True)
def shade_head(
    triangle: NDArray[np.int32],
    depth: Float32s,
    fields: Float32s,
    normals: Float32s,
    intrinsics: NDArray[np.float64],
    skin: SkinLook,
    eye: EyeLook,
    light: Light,
    landmarks: Float32s,
    lattice: Lattice,
    surface: Surface,
    rgb: Float32s,
    labels: Labels,
) -> None:
    """Paint the head's pixels: fields (H, W, FIELD_COUNT + 2), unit normals (H, W, 3) -> rgb (H, W, 3), labels (H, W).

    landmarks: mouth x y z, its half width, brows' y (template, m). surface: what textures add.
    """
    height, width = triangle.shape
    fx, fy, cx, cy = intrinsics
    albedo = np.zeros(3)
    total = np.zeros(3)
    ox, oy, oz = skin.offset
    for row in range(height):
        for column in range(width):
            if triangle[row, column] < 0:
                continue
            f = fields[row, column]
            x, y, z = f[0], f[1], f[2]
            nx, ny, nz = normals[row, column]
            d = depth[row, column]
            px, py = (column + 0.5 - cx) / fx * d, (row + 0.5 - cy) / fy * d
            length = np.sqrt(px * px + py * py + d * d)
            vx, vy, vz = -px / length, -py / length, -d / length
            openness = f[OCCLUSION]
            gloss, shininess = skin.gloss, skin.shininess
            bump = skin.bump
            creep = 1.0

            if f[EYE_LEFT] > 0.5 or f[EYE_RIGHT] > 0.5:
                labels[row, column] = EYES
                side = 0 if f[EYE_LEFT] > 0.5 else 1
                dx, dy, dz = x - eye.centres[side, 0], y - eye.centres[side, 1], z - eye.centres[side, 2]
                r = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-9
                cosine = (dx * eye.axes[side, 0] + dy * eye.axes[side, 1] + dz * eye.axes[side, 2]) / r
                ring = np.arctan2(dy, dx)
                rays = noise_at(lattice, 5 * np.cos(ring) + ox, 5 * np.sin(ring) + oy, 6 * cosine)
                iris = _smooth(eye.iris_cosine - 0.02, eye.iris_cosine + 0.02, cosine)
                pupil = _smooth(eye.pupil_cosine - 0.006, eye.pupil_cosine + 0.006, cosine)
                limbus = 1 - 0.6 * (1 - _smooth(eye.iris_cosine, eye.iris_cosine + 0.05, cosine))
                red = 0.15 * fractal_at(lattice, x * 900 + ox, y * 900 + oy, z * 900 + oz, 2)
                along = (np.arccos(min(cosine, 1.0)) - eye.pupil_angle) / (eye.iris_angle - eye.pupil_angle)
                ray = min(max(int(along * eye.map.shape[0]), 0), eye.map.shape[0] - 1)
                spoke = int((ring / 6.2831855 + 0.5) * eye.map.shape[1]) % eye.map.shape[1]
                for c in range(3):
                    white = eye.sclera[c] * (1 - (0.12 + max(red, 0.0)) * (c > 0))
                    own = eye.iris[c] * ((1 + 0.5 * rays) * (1 - eye.mapped) + eye.map[ray, spoke, c] * eye.mapped)
                    coloured = own * limbus * (1 - pupil) + 0.003
                    albedo[c] = white * (1 - iris) + max(coloured, 0.002) * iris
                gloss, shininess, bump = 3.0 * eye.shine, 350.0, 0.0
                openness = 0.35 + 0.6 * openness
                creep = 0.3
            elif f[INSIDE] > 0.5:
                labels[row, column] = MOUTH_INSIDE
                if f[TEETH] > 0.5:
                    for c in range(3):
                        albedo[c] = skin.tooth[c]
                    gloss, shininess = 0.8, 60.0
                    openness = min(1.0, skin.mouth_light * (0.7 + openness))
                elif f[TONGUE] > 0.5:
                    albedo[0], albedo[1], albedo[2] = 0.45, 0.16, 0.15
                    openness = skin.mouth_light * (0.25 + openness)
                else:
                    albedo[0], albedo[1], albedo[2] = 0.32, 0.07, 0.06
                    openness = 0.7 * skin.mouth_light * openness
            else:
                labels[row, column] = FACE if f[IS_FACE] > 0.5 else SKIN_OTHER
                fine = noise_at(lattice, x * 700 + oy, y * 700 + oz, z * 700 + ox)
                coarse, blotch = f[COARSE], f[BLOTCH]
                melanin = skin.melanin * (1 + skin.melanin_variation * (0.8 * coarse + 0.2 * fine))
                blood = skin.blood * (1 + skin.blood_variation * (0.5 * blotch + 0.5 * coarse))
                blood += skin.flush * f[FLUSH] * (1 + 0.4 * blotch)
                if skin.freckles > 0:
                    dots = noise_at(lattice, x * 420 + ox, y * 420 + oy, z * 420 + oz)
                    melanin += skin.freckles * 0.9 * _smooth(0.55, 0.9, dots + 0.5 * f[FLUSH] - 0.15)
                for m in range(skin.moles.shape[0]):
                    radius = skin.moles[m, 3]
                    away = (x - skin.moles[m, 0]) ** 2 + (y - skin.moles[m, 1]) ** 2 + (z - skin.moles[m, 2]) ** 2
                    if away < 2.2 * radius * radius:
                        melanin += 1.6
                lips = _smooth(0.3, 0.75, f[LIPS] + 0.08 * fine)
                blood += skin.lip_blood * lips
                for c in range(3):
                    layer = -max(melanin, 0.02) * MELANIN[c] - max(blood, 0.02) * BLOOD[c]
                    albedo[c] = min(BASE[c] * np.exp(layer + surface.tone[row, column, c]), 0.9)
                if lips > 0 and skin.lip_paint_amount > 0:
                    for c in range(3):
                        albedo[c] += (skin.lip_paint[c] - albedo[c]) * skin.lip_paint_amount * lips
                    gloss += 0.8 * lips
                lids = f[LIDS] * skin.lid_paint_amount
                if lids > 0.01:
                    for c in range(3):
                        albedo[c] += (skin.lid_paint[c] - albedo[c]) * lids
                drawn = surface.brow[row, column] * min(skin.brow_density, 1.0)
                if drawn > 0.01:
                    for c in range(3):
                        albedo[c] += (skin.brow_colour[c] - albedo[c]) * drawn
                    gloss *= 1 - 0.7 * drawn
                if f[BROWS] > 0.05 and skin.brow_painted > 0:
                    slant = y * 700 + abs(x) * 250
                    strand = skin.brow_strand * noise_at(lattice, abs(x) * 220 + ox, slant * 1.9 + oy, z * 220)
                    hair = skin.brow_density * _smooth(0.25, 0.75, f[BROWS] + 0.16 * strand) * (0.85 + 0.2 * strand)
                    hair *= skin.brow_painted
                    hair = min(max(hair, 0.0), 0.96)
                    for c in range(3):
                        albedo[c] += (skin.brow_colour[c] * (1 + 0.3 * strand) - albedo[c]) * hair
                    gloss *= 1 - 0.7 * hair
                if f[BEARD] > 0.02 and (skin.stubble > 0 or skin.beard > 0):
                    place = f[BEARD]
                    mx, my = abs(x - landmarks[0]), y - landmarks[1]
                    if skin.beard_kind == 1:
                        place *= _smooth(0.012, 0.0, mx - landmarks[3]) * _smooth(-0.004, 0.004, my)
                    elif skin.beard_kind == 2:
                        place *= _smooth(0.012, 0.0, mx - 0.6 * landmarks[3]) * _smooth(0.004, -0.004, my)
                    elif skin.beard_kind == 3:
                        place *= _smooth(0.012, 0.0, mx - landmarks[3])
                    dots = noise_at(lattice, x * 1100, y * 1100, z * 1100)
                    grain = f[BEARD] * skin.stubble * min(max(0.55 + 0.3 * dots + 0.15 * coarse, 0.0), 1.0)
                    for c in range(3):
                        albedo[c] += (0.75 * skin.beard_colour[c] + 0.02 - albedo[c]) * 0.75 * grain
                    if skin.beard > 0:
                        wave = 0.004 * noise_at(lattice, x * 60, y * 60, z * 60)
                        strand = noise_at(lattice, (x + wave) * 520, y * 110, (z + wave) * 520)
                        edge = place * (0.6 + 0.5 * skin.beard) + 0.22 * strand + 0.12 * coarse
                        hair = _smooth(0.35, 0.7, edge) * min(1.0, 0.55 + 0.5 * skin.beard)
                        for c in range(3):
                            hue = skin.beard_colour[c] * max(0.15, 0.85 + 0.55 * strand)
                            albedo[c] += (hue - albedo[c]) * hair
                        bump += 0.5 * hair
                        gloss *= 1 - 0.6 * hair
                        creep *= 1 - hair
                if skin.scalp_stubble > 0 and f[SCALP] > 0.1:
                    dots = noise_at(lattice, x * 900, y * 900, z * 900)
                    grain = skin.scalp_stubble * _smooth(0.3, 0.7, f[SCALP] + 0.1 * coarse) * (0.6 + 0.25 * dots)
                    for c in range(3):
                        albedo[c] += (skin.brow_colour[c] - albedo[c]) * min(max(grain, 0.0), 0.9)
                # Creases and pores move the light, never the truth: the head that is fitted later has none.
                bx = bump * noise_at(lattice, x * 650 + 3, y * 650, z * 650)
                by = bump * noise_at(lattice, x * 650, y * 650 + 5, z * 650)
                if skin.wrinkles > 0:
                    # Across the forehead and about the eyes; the rest of a face has far fewer lines.
                    lined = skin.wrinkles * (0.2 + 0.8 * _smooth(-0.02, 0.015, y - landmarks[4]))
                    by += lined * noise_at(lattice, x * 50 + oy, y * 260 + ox, z * 50)
                    bx += 0.5 * lined * noise_at(lattice, x * 240 + oz, y * 60 + oy, z * 60)
                nx, ny = nx + bx, ny + by
                n = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
                nx, ny, nz = nx / n, ny / n, nz / n

            for c in range(3):
                total[c] = sky_at(light.sky, c, nx, ny, nz) * openness * albedo[c]
            facing = max(nx * vx + ny * vy + nz * vz, 0.0)
            rim = (1 - facing) * (1 - facing)
            rim = rim * rim * (1 - facing)
            for i in range(light.directions.shape[0]):
                lx, ly, lz = light.directions[i]
                reach = min(1.0, 0.25 + 1.1 * openness)
                if i == 0:
                    reach *= lit_at(light, px + 0.002 * nx, py + 0.002 * ny, d + 0.002 * nz)
                cosine = nx * lx + ny * ly + nz * lz
                hx, hy, hz = lx + vx, ly + vy, lz + vz
                h = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
                spread = max((nx * hx + ny * hy + nz * hz) / h, 0.0)
                glint = 0.0
                if cosine > 0:
                    # Blinn's cosine power as a spherical Gaussian: pow() would cost as much as all the noise.
                    lobe = np.exp(shininess * (spread - 1)) * (shininess + 8)
                    lobe += 0.35 * np.exp(0.3 * shininess * (spread - 1)) * (0.3 * shininess + 8)
                    glint = gloss * lobe / 25.0 * (0.035 + 0.5 * rim) * cosine
                for c in range(3):
                    wrap = SUBSURFACE[c] * creep
                    diffuse = max((cosine + wrap) / (1 + wrap), 0.0)
                    total[c] += light.colours[i, c] * reach * (albedo[c] * diffuse + glint)
            for c in range(3):
                rgb[row, column, c] = total[c]


@njit(cache=True, fastmath=True)
def shade_hair(
    triangle: NDArray[np.int32],
    shell_depth: Float32s,
    fields: Float32s,
    level: float,
    up: Float32s,
    intrinsics: NDArray[np.float64],
    hair: HairLook,
    limits: Float32s,
    light: Light,
    lattice: Lattice,
    depth: Float32s,
    rgb: Float32s,
    labels: Labels,
) -> None:
    """One shell of hair over what is there: fields (H, W, 8) = template x y z, scalp, crown, normal.

    level 0..1 is the shell's height in the stack; up (3,) the head's +Y in camera space; limits: ear height, ear depth.
    """
    rows, columns = triangle.shape
    fx, fy, cx, cy = intrinsics
    for row in range(rows):
        for column in range(columns):
            if triangle[row, column] < 0 or shell_depth[row, column] >= depth[row, column] + 0.0005:
                continue
            f = fields[row, column]
            x, y, z, crown = f[0], f[1], f[2], f[4]
            behind = z - limits[1]
            cover = (crown - hair.hairline) * 4.0
            fringed = hair.fringe < 0.9 and behind > 0.02 and y > hair.fringe - 0.05
            hanging = hair.long > 0 and y < limits[0] + 0.07 and z < hair.front + 0.06
            if cover < -1.0 - 4.0 * hair.ragged and not fringed and not hanging:
                continue
            around = np.arctan2(x, behind + 0.01) * 0.09
            wave = 0.006 * noise_at(lattice, x * 30, y * 45, z * 30)
            across, along = around + wave, y + 0.4 * behind
            straight = noise_at(lattice, across * hair.strand, along * 40, level * 2.0)
            frizz = fractal_at(lattice, x * 170, y * 170, z * 170 + level, 2)
            strand = straight * (1 - hair.curl) + frizz * hair.curl
            clump = noise_at(lattice, across * 110, along * 18, 0.5)

            # The hairline, lowered by a fringe and by long hair at the sides.
            if fringed:
                cover = max(cover, (y - hair.fringe) / 0.02 + 1.2 * clump * hair.ragged)
            if hanging:
                cover = max(cover, (hair.front - z) / 0.015)
            cover += 2.0 * hair.ragged * (0.5 * clump + 0.5 * strand)
            if cover - 0.5 * level < 0.1 + 0.9 * level * (0.45 + 0.5 * strand):
                continue
            labels[row, column] = HAIR
            d = shell_depth[row, column]
            depth[row, column] = d
            nx, ny, nz = f[5], f[6], f[7]
            n = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx, ny, nz = nx / n, ny / n, nz / n
            px, py = (column + 0.5 - cx) / fx * d, (row + 0.5 - cy) / fy * d
            length = np.sqrt(px * px + py * py + d * d)
            vx, vy, vz = -px / length, -py / length, -d / length
            # The strand's direction: up, laid onto the surface, shaken by the strand itself.
            u = up[0] * nx + up[1] * ny + up[2] * nz
            tx, ty, tz = up[0] - u * nx + 0.15 * strand, up[1] - u * ny, up[2] - u * nz
            t = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-6
            tx, ty, tz = tx / t, ty / t, tz / t
            shade = (0.45 + 0.55 * level) * max(0.15, 0.75 + hair.contrast * (0.4 * strand + 0.25 * clump))
            tipped = _smooth(limits[0] + 0.02, limits[0] - 0.08, y) * 0.8
            for c in range(3):
                albedo = (hair.colour[c] + (hair.tip[c] - hair.colour[c]) * tipped) * shade
                total = albedo * sky_at(light.sky, c, nx, ny, nz)
                for i in range(light.directions.shape[0]):
                    lx, ly, lz = light.directions[i]
                    cosine = nx * lx + ny * ly + nz * lz
                    if cosine < -0.3:
                        continue
                    hx, hy, hz = lx + vx, ly + vy, lz + vz
                    h = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
                    th = (tx * hx + ty * hy + tz * hz) / h
                    reach = min(1.0, (cosine + 0.3) / 1.3)
                    glint = hair.gloss * 0.12 * np.exp(-30 * th * th) * (0.5 + 0.5 * strand)
                    total += light.colours[i, c] * reach * (albedo * 0.9 + max(glint, 0.0))
                rgb[row, column, c] = total


@njit(cache=True, fastmath=True)
def shade_plain(
    triangle: NDArray[np.int32],
    new_depth: Float32s,
    fields: Float32s,
    covered: NDArray[np.bool_],
    colours: Float32s,
    pattern: Float32s,
    label: int,
    light: Light,
    lattice: Lattice,
    depth: Float32s,
    rgb: Float32s,
    labels: Labels,
) -> None:
    """Cloth and the like over what is there: fields (H, W, 6) = place for the pattern, normal; colours (2, 3).

    pattern: cells per m along x y z, then sharpness of the change between the colours, then fine grain.
    """
    rows, columns = triangle.shape
    for row in range(rows):
        for column in range(columns):
            if triangle[row, column] < 0 or not covered[row, column]:
                continue
            if new_depth[row, column] >= depth[row, column]:
                continue
            f = fields[row, column]
            x, y, z = f[0], f[1], f[2]
            mix = noise_at(lattice, x * pattern[0], y * pattern[1], z * pattern[2])
            mix = _smooth(-1.0, 1.0, mix * pattern[3])
            grain = 1 + pattern[4] * noise_at(lattice, x * 900, y * 900, z * 900)
            fold = 0.25 * noise_at(lattice, x * 25, y * 12, z * 25)
            nx, ny, nz = f[3] + fold, f[4], f[5]
            n = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx, ny, nz = nx / n, ny / n, nz / n
            depth[row, column] = new_depth[row, column]
            labels[row, column] = label
            for c in range(3):
                albedo = (colours[0, c] * (1 - mix) + colours[1, c] * mix) * max(grain, 0.1)
                total = sky_at(light.sky, c, nx, ny, nz)
                for i in range(light.directions.shape[0]):
                    cosine = nx * light.directions[i, 0] + ny * light.directions[i, 1] + nz * light.directions[i, 2]
                    total += light.colours[i, c] * max(cosine, 0.0)
                rgb[row, column, c] = albedo * total
