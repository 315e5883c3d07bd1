// From the network's levels to bytes, and PNG files that carry their recipe.

// levels Float32Array [channels, side, side], 0 to 255, premultiplied -> RGBA bytes, straight alpha, as Imagen Demo's.
export function toBytes(levels, channels, side) {
  const area = side * side, bytes = new Uint8ClampedArray(4 * area); // rounds half to even, as torch does
  for (let at = 0; at < area; at++) {
    bytes[4 * at + 3] = channels === 4 ? levels[3 * area + at] : 255;
    const alpha = bytes[4 * at + 3], factor = channels === 4 ? (alpha ? 255 / alpha : 0) : 1;
    for (let c = 0; c < 3; c++) bytes[4 * at + c] = levels[c * area + at] * factor;
  }
  return bytes;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
const checksum = (bytes) => {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
};
const join = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
};
const uint32 = (value) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
const utf8 = (text) => new TextEncoder().encode(text);
const chunk = (kind, data) => {
  const body = join(utf8(kind), data);
  return join(uint32(data.length), body, uint32(checksum(body)));
};
const deflate = async (bytes) => new Uint8Array(await new Response(
  new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))).arrayBuffer());

// A canvas would store colours premultiplied and lose some; so the file is written here, exactly.
export async function toPng(bytes, channels, side, recipeJson) {
  const rows = new Uint8Array(side * (side * channels + 1)); // each row begins with its filter: none
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = 4 * (y * side + x);
      rows.set(bytes.subarray(from, from + channels), y * (side * channels + 1) + 1 + x * channels);
    }
  }
  const header = join(uint32(side), uint32(side), Uint8Array.of(8, channels === 4 ? 6 : 2, 0, 0, 0));
  return new Blob([join(
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10), chunk('IHDR', header),
    chunk('tEXt', utf8('Software\0Imagen Demo')), chunk('tEXt', utf8('Source\0AI-generated picture')),
    chunk('iTXt', utf8(`imagen_demo\0\0\0\0\0${recipeJson}`)),
    chunk('IDAT', await deflate(rows)), chunk('IEND', new Uint8Array()))], { type: 'image/png' });
}
