"""Pictures come out smaller, upright, without metadata, and the same however often it is done."""

from __future__ import annotations

import math

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat, PngImagePlugin

from queuectl.jobs.picture_bytes import is_bare
from queuectl.jobs.pictures import Box, fit

from .pictures import camera_exif, encoded, landscape, opened, phone_photo

BOX = Box(200, 200)
PALETTE = landscape(320, 240).quantize(32)
KINDS = {
    "jpeg": encoded(landscape(320, 240), "JPEG", quality=92),
    "progressive jpeg": encoded(landscape(320, 240), "JPEG", progressive=True),
    "grey jpeg": encoded(landscape(320, 240).convert("L"), "JPEG"),
    "cmyk jpeg": encoded(landscape(320, 240).convert("CMYK"), "JPEG"),
    "several in one (mpo)": encoded(
        landscape(320, 240), "MPO", save_all=True, append_images=[landscape(64, 48)], exif=camera_exif()
    ),
    "png": encoded(landscape(320, 240), "PNG"),
    "grey png": encoded(landscape(320, 240).convert("L"), "PNG"),
    "16-bit grey png": encoded(
        landscape(320, 240).convert("L").convert("I").point(lambda v: v * 257).convert("I;16"), "PNG"
    ),
    "black and white png": encoded(landscape(320, 240).convert("1"), "PNG"),
    "palette png": encoded(PALETTE, "PNG"),
    "palette png with a hole": encoded(PALETTE, "PNG", transparency=3),
    "png with a colour for nothing": encoded(landscape(320, 240), "PNG", transparency=(1, 2, 3)),
    "grey png with alpha": encoded(landscape(320, 240).convert("LA"), "PNG"),
    "png with alpha": encoded(landscape(320, 240).convert("RGBA"), "PNG"),
    "webp": encoded(landscape(320, 240), "WEBP", quality=90),
    "lossless webp": encoded(landscape(320, 240), "WEBP", lossless=True),
    "webp with alpha": encoded(Image.new("RGBA", (320, 240), (10, 200, 30, 90)), "WEBP"),
    "one pixel": encoded(Image.new("RGB", (1, 1), "red"), "PNG"),
    "a line": encoded(Image.new("RGB", (20_000, 1), "red"), "PNG"),
}


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB; above 40 nobody sees a difference."""
    spread = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).rms
    mean = sum(value * value for value in spread) / 3
    return 10 * math.log10(255 * 255 / mean) if mean else math.inf


class TestSize:
    @pytest.mark.parametrize(
        ("size", "box", "fitted"),
        [
            ((4000, 3000), Box(1200, 1200), (1200, 900)),
            ((3000, 4000), Box(1200, 1200), (900, 1200)),
            ((4000, 3000), Box(1200, 100), (133, 100)),
            ((800, 600), Box(1200, 1200), (800, 600)),
            ((1200, 900), Box(1200, 900), (1200, 900)),
            ((50_000, 1), Box(1200, 1200), (1200, 1)),
            ((1, 50_000), Box(1200, 1200), (1, 1200)),
        ],
    )
    def test_the_shape_is_kept_and_nothing_is_enlarged(
        self, size: tuple[int, int], box: Box, fitted: tuple[int, int]
    ) -> None:
        """The largest size within the box, at least one pixel each way."""
        assert box.fitted(*size) == fitted

    def test_the_picture_looks_like_the_original(self) -> None:
        """The fast way (a reduced decode, then a bicubic filter) is as good as the slow one to the eye."""
        original = encoded(landscape(1600, 1200), "JPEG", quality=90)
        fast = opened(fit(original, Box(400, 400), 95))
        slow = opened(original).resize((400, 300), Image.Resampling.LANCZOS)
        assert likeness(fast, slow) > 35

    @pytest.mark.parametrize(("size", "box"), [((400, 300), 240), ((403, 301), 241), ((300, 1), 200), ((1, 300), 200)])
    def test_there_is_no_seam(self, size: tuple[int, int], box: int) -> None:
        """Two halves, made side by side, are what one pass would have made, to within rounding."""
        noise = Image.effect_noise(size, 80)
        with opened(fit(encoded(noise, "PNG"), Box(box, box), 85)) as found:
            whole = noise.resize(found.size, Image.Resampling.BICUBIC)
            assert max(map(abs, ImageChops.difference(found, whole).getextrema())) <= 1


class TestEveryKind:
    @pytest.mark.parametrize("kind", KINDS)
    def test_it_fits_afterwards_in_its_own_format(self, kind: str) -> None:
        """Whatever the colours were, the pixels are alike and the format is the file's own."""
        before = opened(KINDS[kind])
        after = opened(fit(KINDS[kind], BOX, 85))
        assert after.size == BOX.fitted(*before.size)
        assert after.format == ("JPEG" if before.format == "MPO" else before.format)

    @pytest.mark.parametrize("kind", KINDS)
    def test_twice_is_once(self, kind: str) -> None:
        """A second run returns the very bytes of the first, and so does one that makes a thumbnail of it."""
        once = fit(KINDS[kind], BOX, 85)
        assert fit(once, BOX, 85) == once
        thumbnail = fit(once, Box(50, 50), 85)
        assert fit(thumbnail, Box(50, 50), 85) == thumbnail

    @pytest.mark.fault("X5")
    @pytest.mark.parametrize("kind", KINDS)
    def test_only_pixels_are_left(self, kind: str) -> None:
        """No EXIF, profile, comment, second picture or trailing bytes in the result."""
        after = fit(KINDS[kind], BOX, 85)
        assert is_bare(after, str(opened(after).format))

    @pytest.mark.parametrize("kind", ["16-bit grey png", "cmyk jpeg", "palette png", "black and white png"])
    def test_unusual_colours_are_kept(self, kind: str) -> None:
        """What no screen shows directly is converted, not clipped or inverted."""
        before = opened(KINDS[kind])
        shown = before.point(lambda v: v / 256).convert("L") if before.mode == "I;16" else before.convert("RGB")
        after = opened(fit(KINDS[kind], BOX, 95))
        assert likeness(after, shown.convert("RGB").resize(after.size, Image.Resampling.BICUBIC)) > 30

    def test_transparency_survives(self) -> None:
        """Also that of a palette entry, and without a dark fringe around it."""
        hole = Image.new("P", (320, 240))
        hole.putpalette([0, 0, 0, 255, 255, 255])
        hole.paste(1, (0, 0, 160, 240))
        after = opened(fit(encoded(hole, "PNG", transparency=0), BOX, 85))
        assert after.getpixel((10, 10)) == (255, 255, 255, 255)
        assert after.getpixel((190, 10))[3] == 0  # type: ignore[index]  # Pillow says float | tuple
        edge = [after.getpixel((x, 50)) for x in range(after.width)]
        assert all(pixel[0] > 250 for pixel in edge if pixel[3] > 10)  # type: ignore[index]  # as above


class TestQuality:
    def test_a_lower_quality_makes_a_smaller_file(self) -> None:
        """For the formats that have one."""
        for kind in ("jpeg", "webp"):
            assert len(fit(KINDS[kind], BOX, 40)) < len(fit(KINDS[kind], BOX, 90))

    def test_a_small_picture_of_high_quality_is_compressed_once(self) -> None:
        """Though it fits, a JPEG that is finer than asked for shrinks; the result is then left alone."""
        fine = encoded(landscape(160, 120), "JPEG", quality=98)
        once = fit(fine, BOX, 85)
        assert len(once) < len(fine)
        assert fit(once, BOX, 85) is once

    def test_a_small_picture_of_low_quality_is_left_alone(self) -> None:
        """Compressing it again would lose more and gain nothing."""
        coarse = encoded(landscape(160, 120), "JPEG", quality=60)
        assert fit(coarse, BOX, 85) is coarse

    def test_a_png_never_grows(self) -> None:
        """One that fits, has nothing to hide and is packed well stays as it is."""
        packed = encoded(PALETTE.resize((100, 75)), "PNG", optimize=True)
        assert fit(packed, BOX, 85) == packed

    def test_a_loosely_packed_png_shrinks(self) -> None:
        """Without losing a pixel."""
        loose = encoded(landscape(160, 120), "PNG", compress_level=0)
        tight = fit(loose, BOX, 85)
        assert len(tight) < len(loose)
        assert likeness(opened(loose), opened(tight)) == math.inf


class TestMetadata:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_a_picture_comes_out_upright(self, kind: str, orientation: int) -> None:
        """All eight ways to hold a camera, also where the box is not square."""
        upright = Image.new("RGB", (120, 80), "black")
        upright.paste("white", (0, 0, 60, 40))  # top left
        back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose values that undo the turn
        lying = upright.transpose(Image.Transpose(back[orientation])) if orientation > 1 else upright
        after = opened(fit(encoded(lying, kind, exif=camera_exif(orientation), quality=95), Box(60, 1000), 95))
        assert after.size == (60, 40)
        brightness = [after.convert("L").getpixel(point) for point in ((10, 10), (50, 10), (10, 30), (50, 30))]
        assert brightness == pytest.approx([255, 0, 0, 0], abs=12)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize("size", [(100, 75), (400, 300)], ids=["fits", "too large"])
    def test_where_it_was_taken_is_gone(self, kind: str, size: tuple[int, int]) -> None:
        """GPS, camera, XMP, comments: also from a picture that needs no resizing."""
        note = PngImagePlugin.PngInfo()
        note.add_text("Comment", "canary")
        extras = {
            "PNG": {"pnginfo": note},
            "JPEG": {"comment": b"canary", "xmp": b"<x>canary</x>"},
            "WEBP": {"xmp": b"canary"},
        }
        before = encoded(landscape(*size), kind, exif=camera_exif(), **extras[kind])
        assert b"canary" in before
        after = fit(before, BOX, 85)
        assert not opened(after).getexif()
        assert b"canary" not in after
        assert b"Phone 1" not in after

    def test_the_small_preview_inside_is_gone(self) -> None:
        """A phone's file may hold the whole uncropped scene a second time."""
        after = fit(KINDS["several in one (mpo)"], Box(1000, 1000), 85)
        assert after.count(b"\xff\xd8\xff") == 1

    @pytest.mark.fault("X5")
    def test_bytes_behind_the_picture_are_gone(self) -> None:
        """Films, archives, scripts: a file that is two things at once becomes one."""
        clean = fit(KINDS["jpeg"], BOX, 85)
        assert fit(clean + b"PK\3\4 or worse", BOX, 85).endswith(b"\xff\xd9")
        assert b"worse" not in fit(KINDS["webp"] + b"worse", BOX, 85)

    def test_colours_of_another_space_are_converted(self) -> None:
        """A profile says what the numbers mean; without it they would mean something else, so they change with it."""
        swapped = _profile_with_red_and_blue_swapped()
        before = encoded(Image.new("RGB", (300, 300), (200, 30, 30)), "PNG", icc_profile=swapped)
        after = opened(fit(before, BOX, 95))
        assert "icc_profile" not in after.info
        red, _, blue = after.getpixel((5, 5))  # type: ignore[misc]  # Pillow says float | tuple
        assert blue > 150 > red

    @pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200, b"x" * 3_000_000], ids=["text", "zeros", "huge"])
    def test_a_broken_profile_changes_nothing(self, profile: bytes) -> None:
        """The picture is shown as if it had none."""
        before = encoded(Image.new("RGB", (300, 300), (200, 30, 30)), "JPEG", icc_profile=profile, quality=95)
        assert opened(fit(before, BOX, 95)).getpixel((5, 5)) == pytest.approx((200, 30, 30), abs=4)

    def test_a_broken_exif_block_is_no_reason_to_refuse(self, recwarn: pytest.WarningsRecorder) -> None:
        """The pixels are fine, and it goes anyway."""
        before = encoded(landscape(320, 240), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7fgarbage")
        assert opened(fit(before, BOX, 85)).size == (200, 150)

    def test_a_phone_photo(self) -> None:
        """The whole of it at once."""
        after = opened(fit(phone_photo(400, 300), Box(1200, 1200), 85))
        assert after.size == (300, 400)
        assert likeness(after, landscape(300, 400)) > 25


def _profile_with_red_and_blue_swapped() -> bytes:
    """sRGB whose colorants are exchanged in the tag table: the numbers of red mean blue."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace(b"s\0R\0G\0B", b"t\0R\0G\0B").replace(b"sRGB", b"tRGB")
