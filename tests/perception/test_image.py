"""Photos of every kind are read upright and whole; what is no photo is refused with a reason."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from inference_core.errors import BadInput
from inference_core.perception.image import BACKDROP_GREY, read_photo

WIDTH, HEIGHT = 64, 48


def gradient() -> Image.Image:
    """Left to right red, top to bottom green: any flip, turn or swap of channels shows."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, WIDTH).astype(np.uint8)[None]
    pixels[..., 1] = np.linspace(0, 255, HEIGHT).astype(np.uint8)[:, None]
    return Image.fromarray(pixels)


def test_rgb_comes_back_as_it_is(tmp_path: Path) -> None:
    gradient().save(tmp_path / "größe 写真.png")
    photo = read_photo(tmp_path / "größe 写真.png")
    assert photo.size == (WIDTH, HEIGHT)
    np.testing.assert_array_equal(photo.rgb, np.asarray(gradient()))
    np.testing.assert_allclose(photo.intrinsics, [1.2 * WIDTH, 1.2 * WIDTH, WIDTH / 2, HEIGHT / 2])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path: Path, orientation: int) -> None:
    # How a camera that was held that way stores the same upright scene.
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](np.asarray(gradient()))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png").rgb, np.asarray(gradient()))


def test_alpha_lies_over_mid_grey(tmp_path: Path) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[:, WIDTH // 2 :] = (255, 0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    rgb = read_photo(tmp_path / "a.png").rgb
    assert (rgb[:, : WIDTH // 2] == BACKDROP_GREY).all()
    assert (rgb[:, WIDTH // 2 :] == (255, 0, 0)).all()


def test_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[:, WIDTH // 2 :] = 1
    image = Image.fromarray(pixels, mode="P")
    image.putpalette([0, 0, 255, 0, 255, 0])
    image.save(tmp_path / "a.png", transparency=0)
    rgb = read_photo(tmp_path / "a.png").rgb
    assert (rgb[0, 0] == BACKDROP_GREY).all()
    assert (rgb[0, -1] == (0, 255, 0)).all()


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_grey_of_16_bits_keeps_its_range(tmp_path: Path, name: str) -> None:
    ramp = np.linspace(0, 65535, WIDTH).astype(np.uint16)[None].repeat(HEIGHT, axis=0)
    Image.fromarray(ramp).save(tmp_path / name)
    rgb = read_photo(tmp_path / name).rgb
    assert np.abs(rgb[0, :, 0].astype(int) - ramp[0] / 257).max() <= 1
    assert (rgb[..., 0] == rgb[..., 2]).all()


def test_rgb_of_16_bits(tmp_path: Path) -> None:
    """Pillow cannot write one, so the chunks are put together here."""
    rows = np.zeros((HEIGHT, 1 + WIDTH * 6), np.uint8)
    high = np.asarray(gradient())
    rows[:, 1:] = np.stack([high, np.full_like(high, 7)], axis=-1).reshape(HEIGHT, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    assert np.abs(read_photo(tmp_path / "a.png").rgb.astype(int) - high).max() <= 1


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "YCbCr", "F"])
def test_other_modes_are_read(tmp_path: Path, mode: str) -> None:
    name = {"F": "a.tif", "CMYK": "a.tif", "YCbCr": "a.jpg"}.get(mode, "a.png")
    gradient().convert(mode).save(tmp_path / name)
    rgb = read_photo(tmp_path / name).rgb.astype(int)
    assert rgb.shape == (HEIGHT, WIDTH, 3)
    assert rgb[-12:, -12:].mean() > rgb[:12, :12].mean() + 60  # bright where the gradient is bright


def exif_with(**tags: object) -> Image.Exif:
    exif = Image.Exif()
    block = exif.get_ifd(ExifTags.IFD.Exif)
    for name, value in tags.items():
        (exif if name in ("ImageWidth", "ImageLength") else block)[ExifTags.Base[name]] = value
    return exif


@pytest.mark.parametrize(
    ("tags", "pixels", "source"),
    [
        # 64 x 48 px, diagonal 80 px; film diagonal 43.267 mm
        ({"FocalLengthIn35mmFilm": 50}, 80 * 50 / 43.2666, "exif_35mm"),
        ({"FocalLengthIn35mmFilm": 0}, 1.2 * 64, "assumed"),
        ({"FocalLengthIn35mmFilm": 65535}, 1.2 * 64, "assumed"),
        # 10 px a mm on the sensor, not scaled since
        ({"FocalLength": 8.0, "FocalPlaneXResolution": 10.0, "FocalPlaneResolutionUnit": 4}, 80.0, "exif_sensor"),
        ({"FocalLength": 8.0, "FocalPlaneXResolution": 254.0, "FocalPlaneResolutionUnit": 2}, 80.0, "exif_sensor"),
        # taken at 128 x 96, saved at half the size
        (
            {
                "FocalLength": 16.0,
                "FocalPlaneXResolution": 10.0,
                "FocalPlaneResolutionUnit": 4,
                "ExifImageWidth": 128,
                "ExifImageHeight": 96,
            },
            80.0,
            "exif_sensor",
        ),
        # an editor brought the second block up to date, not the first
        (
            {
                "FocalLength": 16.0,
                "FocalPlaneXResolution": 10.0,
                "FocalPlaneResolutionUnit": 4,
                "ExifImageWidth": 64,
                "ExifImageHeight": 48,
                "ImageWidth": 128,
                "ImageLength": 96,
            },
            80.0,
            "exif_sensor",
        ),
        # cropped to another shape: the number is worth nothing
        ({"FocalLengthIn35mmFilm": 50, "ExifImageWidth": 4000, "ExifImageHeight": 2000}, 1.2 * 64, "assumed"),
        ({}, 1.2 * 64, "assumed"),
    ],
)
def test_focal_length(tmp_path: Path, tags: dict[str, object], pixels: float, source: str) -> None:
    gradient().save(tmp_path / "a.jpg", exif=exif_with(**tags))
    photo = read_photo(tmp_path / "a.jpg")
    assert (photo.focal.pixels, photo.focal.source) == (pytest.approx(pixels, rel=1e-3), source)
    assert bool(photo.notes) == ("ExifImageWidth" in tags and source == "assumed")


def test_given_focal_length_wins(tmp_path: Path) -> None:
    gradient().save(tmp_path / "a.jpg", exif=exif_with(FocalLengthIn35mmFilm=50))
    assert read_photo(tmp_path / "a.jpg", 123.0).focal == (123.0, "given", "", 0.0)


def missing(folder: Path) -> Path:
    return folder / "nothing.jpg"


def a_folder(folder: Path) -> Path:
    return folder


def empty(folder: Path) -> Path:
    (folder / "empty.jpg").touch()
    return folder / "empty.jpg"


def text(folder: Path) -> Path:
    (folder / "text.jpg").write_text("this is no photo\n" * 100)
    return folder / "text.jpg"


def truncated(folder: Path) -> Path:
    gradient().resize((640, 480)).save(folder / "whole.jpg")
    data = (folder / "whole.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(data[: len(data) * 2 // 3])
    return folder / "truncated.jpg"


def truncated_png(folder: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "whole.png")
    (folder / "truncated.png").write_bytes((folder / "whole.png").read_bytes()[:50_000])
    return folder / "truncated.png"


def one_pixel(folder: Path) -> Path:
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    return folder / "one.png"


def enormous(folder: Path, width: int = 20000, height: int = 20000) -> Path:
    """Only the header says so: whoever decoded before looking would fail otherwise, or need 1.2 GB."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    data = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    (folder / "enormous.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + data)
    return folder / "enormous.png"


def just_too_large(folder: Path) -> Path:
    return enormous(folder, 10001, 10000)


def video(folder: Path) -> Path:
    (folder / "clip.jpg").write_bytes(struct.pack(">I", 24) + b"ftypisom" + bytes(4) + b"isomiso2" + bytes(4096))
    return folder / "clip.jpg"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (missing, "does not exist"),
        (a_folder, "is a folder"),
        (empty, "empty file"),
        (text, "not a picture"),
        (truncated, "damaged or cut short"),
        (truncated_png, "damaged or cut short"),
        (one_pixel, "only 1 x 1 pixels"),
        (enormous, "more than 100 megapixels"),
        (just_too_large, "more than 100 megapixels"),
        (video, "is a video"),
    ],
)
def test_what_is_no_photo_is_refused(tmp_path: Path, make: Callable[[Path], Path], says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_photo(make(tmp_path))
    assert says in caught.value.sentence
    assert caught.value.remedy.endswith(".")
    assert (caught.value.code, caught.value.exit_status) == ("BAD_INPUT", 2)


def test_a_real_video_is_refused(shared_data: Path) -> None:
    with pytest.raises(BadInput, match="is a video"):
        read_photo(next((shared_data / "videos").glob("*.mp4")))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind here (root or Windows)")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    gradient().save(tmp_path / "a.png")
    (tmp_path / "a.png").chmod(0)
    with pytest.raises(BadInput, match="may not be read"):
        read_photo(tmp_path / "a.png")


def test_a_refused_permission_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without real permissions, which do not bind root."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    gradient().save(tmp_path / "a.png")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadInput, match="may not be read"):
        read_photo(tmp_path / "a.png")


@pytest.mark.parametrize("value", [0.0, -5.0, float("nan"), float("inf")])
def test_impossible_focal_lengths(tmp_path: Path, value: float) -> None:
    gradient().save(tmp_path / "a.png")
    with pytest.raises(BadInput, match="focal length"):
        read_photo(tmp_path / "a.png", value)


def test_ranges_are_told_by_nearly_all_levels_not_by_the_highest(tmp_path: Path) -> None:
    """A hot pixel, a highlight, a NaN; ten and twelve bits in sixteen."""
    ramp = np.tile(np.linspace(0.0, 1.0, 64, dtype=np.float32), (64, 1))
    usual = (ramp * 255 + 0.5).astype(np.uint8)
    hot = ramp.copy()
    hot[0, 0], hot[1, 1], hot[2, 2] = 40.0, np.nan, np.inf
    bright = ramp * 1.6  # linear light goes above white
    for name, values in (("hot", hot), ("bytes", ramp * 255)):
        Image.fromarray(values).save(tmp_path / f"{name}.tif")
        assert np.abs(read_photo(tmp_path / f"{name}.tif").rgb[8:, :, 0].astype(int) - usual[8:]).max() <= 1
    Image.fromarray(bright).save(tmp_path / "bright.tif")
    assert read_photo(tmp_path / "bright.tif").rgb[0, -1, 0] == 255
    for bits in (10, 12, 16):
        values = (ramp * (2**bits - 1)).astype(np.uint16)
        values[0, 0] = 65535
        Image.fromarray(values).save(tmp_path / f"{bits}.png")
        assert np.abs(read_photo(tmp_path / f"{bits}.png").rgb[8:, :, 0].astype(int) - usual[8:]).max() <= 1


def test_an_alpha_of_nothing_hides_nothing(tmp_path: Path) -> None:
    layers = np.full((40, 40, 4), 90, np.uint8)
    layers[..., 3] = 0
    Image.fromarray(layers).save(tmp_path / "nothing.png")
    assert (read_photo(tmp_path / "nothing.png").rgb == 90).all()
    layers[:5, :5, 3] = 255
    Image.fromarray(layers).save(tmp_path / "corner.png")
    assert read_photo(tmp_path / "corner.png").rgb[20, 20, 0] == 128
