/** Reproducible randomness: everything that the film maker draws hangs on a seed alone. */

// Taken out once: in a VM context, where tests run, each look-up of a global costs more than the arithmetic.
const { floor, imul } = Math;

export type Random = () => number;

/** Numbers from 0 (included) to 1 (excluded); equal seeds, equal rows. A 32-bit multiply-xorshift counter generator. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state) / 2 ** 32;
  };
}

function mix(value: number): number {
  let bits = imul(value ^ (value >>> 16), 0x21f0aaad);
  bits = imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}

/** Uniform between two values. */
export const between = (random: Random, least: number, most: number): number => least + (most - least) * random();

/** Smooth noise from −1 to 1 over the plane, with features of size 1. */
export type Noise = (x: number, y: number) => number;

export function noiseOf(seed: number): Noise {
  const corner = (column: number, row: number): number =>
    mix((imul(column, 0x27d4eb2d) ^ imul(row, 0x165667b1) ^ seed) >>> 0) / 2 ** 31 - 1;
  return (x, y) => {
    const column = floor(x);
    const row = floor(y);
    const fx = fade(x - column);
    const fy = fade(y - row);
    const top = corner(column, row) * (1 - fx) + corner(column + 1, row) * fx;
    const bottom = corner(column, row + 1) * (1 - fx) + corner(column + 1, row + 1) * fx;
    return top * (1 - fy) + bottom * fy;
  };
}

const fade = (t: number): number => t * t * (3 - 2 * t);

/** Noise of several octaves, each half as large and as strong as the one before, from about −1 to 1. */
export function fractalOf(seed: number, octaves: number): Noise {
  const layers = Array.from({ length: octaves }, (_, octave) => noiseOf(seed + 7919 * octave));
  const total = 2 - 0.5 ** (octaves - 1);
  return (x, y) => {
    let sum = 0;
    let scale = 1;
    for (const layer of layers) {
      sum += layer(x * scale, y * scale) / scale;
      scale *= 2;
    }
    return sum / total;
  };
}
