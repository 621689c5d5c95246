import { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';

export interface ConnectOptions {
  readonly timeoutMs: number;
  /** PEM text; null: the built-in authorities. */
  readonly ca: string | null;
  /** Told of the certificate of each new TLS connection: until when it is valid, milliseconds since 1970 (fault 34). */
  readonly onCertificate?: (validUntil: number) => void;
}

/** Opens connections, and tells when the certificate of the other side ends. */
export function createConnect({ timeoutMs, ca, onCertificate }: ConnectOptions): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, ...(ca === null ? {} : { ca }) });
  if (!onCertificate) return connect;
  return (options, callback) =>
    connect(options, (...outcome) => {
      const [, socket] = outcome;
      if (socket instanceof TLSSocket) {
        const validUntil = Date.parse(socket.getPeerCertificate().valid_to ?? '');
        if (Number.isFinite(validUntil)) onCertificate(validUntil);
      }
      callback(...outcome);
    });
}
