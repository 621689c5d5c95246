/**
 * Gives the memory of arrays back at once, and leaves them empty. V8 finds out only by a collection of everything that nobody looks
 * at them any more: without this it made three of them a film. An array that is a part of its buffer is left alone.
 */
export function letGo(...arrays: readonly (Uint8Array | Uint16Array | Int16Array | Float32Array)[]): void {
  for (const { buffer, byteLength } of arrays)
    if ('transfer' in buffer && !buffer.detached && buffer.byteLength === byteLength) buffer.transfer(0);
}
