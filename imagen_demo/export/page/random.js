// numpy.random.RandomState(seed).randn, bit for bit: a seed means the same picture here as in Imagen Demo.
// MT19937 by Matsumoto and Nishimura (1998), seeded as init_genrand does; normal numbers by the polar method.
const N = 624, M = 397;

export class RandomState {
  constructor(seed) {
    this.key = new Uint32Array(N);
    let value = seed >>> 0;
    for (let i = 0; i < N; i++) {
      this.key[i] = value;
      value = (Math.imul(1812433253, value ^ (value >>> 30)) + i + 1) >>> 0;
    }
    this.at = N;
    this.kept = null; // the polar method makes two numbers at a time
  }

  #twist() {
    const { key } = this;
    for (let i = 0; i < N; i++) {
      const y = (key[i] & 0x80000000) | (key[(i + 1) % N] & 0x7fffffff);
      key[i] = key[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }

  uint32() {
    if (this.at === N) this.#twist();
    let y = this.key[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  double() { // [0, 1) with 53 bits
    const a = this.uint32() >>> 5, b = this.uint32() >>> 6;
    return (a * 67108864 + b) / 9007199254740992;
  }

  normal() {
    if (this.kept !== null) {
      const kept = this.kept;
      this.kept = null;
      return kept;
    }
    let x, y, square;
    do {
      x = 2 * this.double() - 1;
      y = 2 * this.double() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt(-2 * Math.log(square) / square);
    this.kept = factor * x;
    return factor * y;
  }
}

export function seedToZ(seed, size) {
  const random = new RandomState(seed);
  return Float32Array.from({ length: size }, () => random.normal());
}

export const MAX_SEED = 2 ** 32 - 1;
export const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] % 1e6;
