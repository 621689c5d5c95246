import { TestEnvironment } from 'jest-environment-node';

/**
 * Jest gives each test file its own globals; ONNX Runtime makes its tensors with those of the process and refuses any other
 * Float32Array. Test files that run a network name this environment in their first line.
 */
export default class extends TestEnvironment {
  async setup() {
    await super.setup();
    this.global.Float32Array = Float32Array;
    this.global.BigInt64Array = BigInt64Array;
  }
}
