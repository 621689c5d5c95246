/** What runs the network: the processor, or a driver of a graphics card. Names of ONNX Runtime's execution providers. */

export const providers = ['cpu', 'cuda', 'webgpu', 'tensorrt'] as const;
export type Provider = (typeof providers)[number];

/** `auto`: the fastest that gives the model's known answer; TensorRT builds its engine for minutes and is only taken by name. */
export const providerChoices = ['auto', ...providers] as const;
export type ProviderChoice = (typeof providerChoices)[number];

/** What becomes of films when the provider that was asked for cannot be used. */
export const providerFallbacks = ['cpu', 'refuse'] as const;
export type ProviderFallback = (typeof providerFallbacks)[number];

/** What was asked for, and what a film's network ran on. It changes no identity: all providers agree within 1e-4. */
export interface ProviderUse {
  readonly asked: ProviderChoice;
  readonly used: Provider;
}

/** Whether another provider than the one named did the work. Whoever asks for `auto` is never let down. */
export const fellBack = ({ asked, used }: ProviderUse): boolean => asked !== 'auto' && asked !== used;

/** What the reader tells of the network that its children share. */
export type NetworkEvent =
  /** A provider is in use, or none can be: `used` null. The reason tells why it is not the one asked for. */
  | {
      readonly kind: 'provider';
      readonly asked: ProviderChoice;
      readonly used: Provider | null;
      readonly reason: string | null;
    }
  | { readonly kind: 'run'; readonly provider: Provider; readonly films: number };
