/** Where a place of the network's input lies in the source matrix. */

/** Along one axis: source = start + model × scale, in pixels from the edge of the first pixel. */
export interface Axis {
  readonly start: number;
  readonly scale: number;
  /** Pixels of the source along this axis. */
  readonly sourceLength: number;
  /** Pixels of the plane that the steps have made so far, in the end the network's input. */
  readonly length: number;
}

export interface Geometry {
  readonly x: Axis;
  readonly y: Axis;
}

export function identityAxis(length: number): Axis {
  return { start: 0, scale: 1, sourceLength: length, length };
}

export function resizedAxis(axis: Axis, length: number): Axis {
  return { ...axis, scale: (axis.scale * axis.length) / length, length };
}

export function croppedAxis(axis: Axis, offset: number, length: number): Axis {
  return { ...axis, start: axis.start + offset * axis.scale, length };
}

/** Source coordinate of a model coordinate, both in pixels from the edge of the first pixel, kept inside the source. */
export function toSource(axis: Axis, model: number): number {
  return Math.min(axis.sourceLength, Math.max(0, axis.start + model * axis.scale));
}

/** Model coordinate of a source coordinate; below 0 or above `length` where a crop left the source out. */
export function toModel(axis: Axis, source: number): number {
  return (source - axis.start) / axis.scale;
}
