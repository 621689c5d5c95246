/**
 * Bounds of everything that is read from strangers. A radiograph stays far below them; what does not is refused with
 * `limit-exceeded` before memory is spent on it.
 */
export const limits = {
  /** Elements of a data set, those of its sequences included. */
  elements: 20_000,
  /** Levels of nested sequences. */
  depth: 16,
  /** Bytes of a data set without its pixel data. */
  headerBytes: 8 * 1024 * 1024,
  /** Fragments of encapsulated pixel data. */
  fragments: 100_000,
  /** Pixels of a frame. */
  pixels: 64 * 1024 * 1024,
  /** Bytes that a deflated data set may grow to: a header and a frame of 16 bits. */
  inflatedBytes: 136 * 1024 * 1024,
  /** Bytes a deflated byte may become, once `inflatedFreeBytes` are passed. */
  inflateRatio: 200,
  inflatedFreeBytes: 16 * 1024 * 1024,
} as const;
