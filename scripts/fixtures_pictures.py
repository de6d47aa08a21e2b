"""Makes the pictures and expected pixels that pkg/data's tests compare with.

Every picture is drawn here. What they should decode and scale to comes from
Pillow 11.3 (numpy for 16-bit grey, which Pillow saturates and acdclip rounds).

    pip install pillow==11.3.0 numpy safetensors
    python scripts/fixtures_pictures.py
"""

import io
import pathlib
import struct
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps
from safetensors.numpy import save_file

assert PIL.__version__.startswith("11.3."), PIL.__version__

ROOT = pathlib.Path(__file__).resolve().parent.parent / "pkg" / "data" / "testdata"
FOLDER = ROOT / "pictures"
EXPECTED = {}
random = np.random.default_rng(7)


def drawn(width, height, channels=3):
    """Gradients with hard edges and some noise: chroma and clamping both matter."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x * 37 + y * 11) % 256, 255 - x * y % 256]
    a = np.stack(planes[:channels], -1).astype(np.int32)
    a[height // 3 : height // 2, width // 4 : width // 2] = [250, 5, 128, 40][:channels]
    a += random.integers(-20, 21, a.shape)
    return a.clip(0, 255).astype(np.uint8)


def rgb_of(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).copy()


def add(name, data, expected=None):
    """Writes one picture and remembers what it decodes to."""
    (FOLDER / name).write_bytes(data)
    EXPECTED[name + ".decoded"] = rgb_of(data) if expected is None else expected


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(width, height, depth, color, rows, *chunks):
    """A PNG of any depth and color type, from packed rows; Pillow writes few of them."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), *[chunk(*c) for c in chunks], chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    )


def packed(values, depth):
    """Rows of values below 2**depth, several to a byte."""
    bits = ((values[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1).reshape(len(values), -1)
    return [np.packbits(row).tobytes() for row in bits.astype(np.uint8)]


def big_endian(values):
    return [row.astype(">u2").tobytes() for row in values]


def pngs():
    w, h = 19, 13
    for depth in (1, 2, 4, 8):
        values = random.integers(0, 2**depth, (h, w))
        add(f"grey{depth}.png", png(w, h, depth, 0, packed(values, depth)))
        palette = random.integers(0, 256, (2**depth, 3), dtype=np.uint8)
        alpha = bytes(random.integers(0, 256, 2**depth, dtype=np.uint8))
        add(f"palette{depth}.png", png(w, h, depth, 3, packed(values, depth), (b"PLTE", palette.tobytes()), (b"tRNS", alpha)))
    add("grey_transparent.png", png(w, h, 8, 0, packed(drawn(w, h, 1)[..., 0], 8), (b"tRNS", b"\0\x07")))
    for name, color, channels in (("grey_alpha8", 4, 2), ("rgb8", 2, 3), ("rgba8", 6, 4)):
        add(name + ".png", png(w, h, 8, color, [row.tobytes() for row in drawn(w, h, channels)]))
    add("rgb8_transparent.png", png(w, h, 8, 2, [row.tobytes() for row in drawn(w, h)], (b"tRNS", b"\0\1\0\2\0\3")))
    for name, color, channels in (("grey_alpha16", 4, 2), ("rgb16", 2, 3), ("rgba16", 6, 4)):
        values = random.integers(0, 65536, (h, w, channels))
        high = (values >> 8).astype(np.uint8)
        rgb = np.repeat(high[..., :1], 3, -1) if channels == 2 else high[..., :3]
        data = png(w, h, 16, color, big_endian(values))
        assert (rgb_of(data) == rgb).all(), name
        add(name + ".png", data)
    values = random.integers(0, 65536, (h, w))
    values[0, :8] = [0, 1, 128, 129, 257, 385, 386, 65535]
    rounded = np.repeat(np.floor(values / 257 + 0.5).astype(np.uint8)[..., None], 3, -1)
    add("grey16.png", png(w, h, 16, 0, big_endian(values)), rounded)
    add("grey16_transparent.png", png(w, h, 16, 0, big_endian(values), (b"tRNS", b"\0\1")), rounded)


def patched_jpeg(data, width, height, *sampling):
    """The same blocks under another frame header: layouts that Pillow cannot write."""
    at = data.index(b"\xff\xc0")
    out = bytearray(data)
    out[at + 5 : at + 9] = struct.pack(">HH", height, width)
    for i, factor in enumerate(sampling):
        out[at + 11 + 3 * i] = factor
    return bytes(out)


ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"


def without(data, marker):
    """Drops the first segment with that marker."""
    at = data.index(b"\xff" + marker)
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def jpegs():
    names = {0: "444", 1: "422", 2: "420"}
    for subsampling, name in names.items():
        for width, height in ((21, 17), (32, 16), (5, 4), (4, 5), (2, 3), (1, 1)):
            image = Image.fromarray(drawn(width, height))
            progressive = width == 21
            add(f"rgb{name}_{width}x{height}.jpg", saved(image, "JPEG", quality=90, subsampling=subsampling, progressive=progressive))
    add("grey.jpg", saved(Image.fromarray(drawn(23, 18)).convert("L"), "JPEG", quality=80))

    two = saved(Image.fromarray(drawn(32, 32)), "JPEG", quality=90, subsampling=1)  # two Y blocks an MCU
    add("rgb440.jpg", patched_jpeg(two, 31, 31, 0x12))
    four = saved(Image.fromarray(drawn(32, 32)), "JPEG", quality=90, subsampling=2)  # four Y blocks an MCU
    add("rgb411.jpg", patched_jpeg(four, 29, 29, 0x41))
    add("stored_rgb.jpg", saved(Image.fromarray(drawn(20, 11)), "JPEG", quality=90, keep_rgb=True))
    rgb420 = without(saved(Image.fromarray(drawn(20, 11)), "JPEG", quality=90, subsampling=2), b"\xe0")
    add("stored_rgb420.jpg", rgb420[:2] + ADOBE + b"\0" + rgb420[2:])
    add("named_rgb.jpg", without(saved(Image.fromarray(drawn(20, 11)), "JPEG", quality=90, keep_rgb=True), b"\xee"))

    cmyk = saved(Image.fromarray(drawn(40, 8, 4), "CMYK"), "JPEG", quality=90)
    bare = without(cmyk, b"\xee")
    ycck = bare[:2] + ADOBE + b"\2" + bare[2:]
    add("cmyk.jpg", cmyk)
    add("cmyk_no_adobe.jpg", bare)
    add("ycck.jpg", ycck)
    add("ycck420.jpg", patched_jpeg(ycck, 31, 15, 0x22, 0x11, 0x11, 0x22))

    for orientation in range(1, 9):
        image = Image.fromarray(drawn(16, 11))
        exif = Image.Exif()
        exif[0x0112] = orientation
        name = f"exif{orientation}.jpg"
        data = saved(image, "JPEG", quality=95, subsampling=0, exif=exif)
        add(name, data)
        EXPECTED[name + ".turned"] = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))).copy()


def others():
    image = Image.fromarray(drawn(19, 13))
    with_alpha = Image.fromarray(drawn(19, 13, 4), "RGBA")
    grey, bilevel, palette = image.convert("L"), image.convert("1"), image.quantize(20)
    for name, source in (("rgb", image), ("grey", grey), ("bilevel", bilevel), ("palette", palette), ("rgba", with_alpha)):
        add(name + ".bmp", saved(source, "BMP"))
    grey16 = random.integers(0, 65536, (13, 19)).astype(np.uint16)
    rounded = np.repeat(np.floor(grey16 / 257 + 0.5).astype(np.uint8)[..., None], 3, -1)
    for name, source, compression in (
        ("rgb", image, "tiff_lzw"),
        ("grey", grey, "tiff_adobe_deflate"),
        ("bilevel", bilevel, None),
        ("palette", palette, "packbits"),
        ("rgba", with_alpha, None),
    ):
        add(name + ".tif", saved(source, "TIFF", compression=compression))
    add("grey16.tif", saved(Image.fromarray(grey16), "TIFF"), rounded)
    rgba = saved(with_alpha, "TIFF")
    extra = struct.pack("<HHIHH", 338, 3, 1, 2, 0)  # the tag ExtraSamples says unassociated alpha
    assert rgba.count(extra) == 1
    add("premultiplied.tif", rgba.replace(extra, struct.pack("<HHIHH", 338, 3, 1, 1, 0)))

    add("palette.gif", saved(palette, "GIF"))
    transparent = saved(palette, "GIF", transparency=3)
    add("transparent.gif", transparent)
    add("small_frame.gif", transparent[:6] + struct.pack("<HH", 25, 17) + transparent[10:])

    add("lossless.webp", saved(image, "WEBP", lossless=True))
    add("lossy.webp", saved(image, "WEBP", quality=90))
    add("lossy_even.webp", saved(Image.fromarray(drawn(18, 14)), "WEBP", quality=90))
    add("lossy_column.webp", saved(Image.fromarray(drawn(1, 5)), "WEBP", quality=90))
    add("lossy_alpha.webp", saved(with_alpha, "WEBP", quality=90, exact=True))


def scaling():
    """Bicubic and nearest scaling: WxH_to_wxh."""
    for w, h, out_w, out_h in (
        (1, 1, 7, 5), (23, 17, 16, 16), (17, 23, 40, 31), (17, 23, 17, 9), (17, 23, 8, 23), (16, 16, 16, 16),
        (300, 3, 8, 8), (2, 201, 5, 9), (2, 200, 5, 9), (1, 101, 3, 140), (50, 40, 1, 1), (33, 47, 32, 46),
    ):  # fmt: skip
        a = random.integers(0, 256, (h, w, 3), dtype=np.uint8)
        name = f"scale_{w}x{h}_to_{out_w}x{out_h}"
        EXPECTED[name + ".in"] = a
        image = Image.fromarray(a)
        EXPECTED[name + ".bicubic"] = np.asarray(image.resize((out_w, out_h), Image.Resampling.BICUBIC)).copy()
        EXPECTED[name + ".nearest"] = np.asarray(image.convert("L").resize((out_w, out_h), Image.Resampling.NEAREST)).copy()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    pngs()
    jpegs()
    others()
    scaling()
    path = ROOT / "pictures.safetensors"
    save_file(EXPECTED, path, {"pillow": PIL.__version__})
    path.chmod(0o644)


if __name__ == "__main__":
    main()
